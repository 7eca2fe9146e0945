using System.Management.Automation;

namespace Conntracker.PowerShell;

/// <summary>Refuses numbers that no protocol has. PowerShell alone would cut 256 down to 0, and the filter would find nothing.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ProtocolNumberAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        foreach (object? element in LanguagePrimitives.GetEnumerable(inputData) ?? new[] { inputData })
        {
            object? value = element is PSObject wrapped ? wrapped.BaseObject : element;
            if (value is int or long or short or uint or ulong or ushort or sbyte
                && (!LanguagePrimitives.TryConvertTo(value, out long number) || number is < byte.MinValue or > byte.MaxValue))
            {
                throw new ArgumentTransformationMetadataException($"{value} is not the number of a protocol: they go from 0 to 255.");
            }
        }

        return inputData;
    }
}
