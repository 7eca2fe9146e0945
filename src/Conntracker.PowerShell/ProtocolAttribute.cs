using System.Globalization;
using System.Management.Automation;

namespace Conntracker.PowerShell;

/// <summary>
/// Accepts protocols by name or by number. PowerShell alone would refuse numbers without a name in the enum (200), and truncate 256 to 0.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class ProtocolAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        LanguagePrimitives.GetEnumerable(inputData) is System.Collections.IEnumerable several
            ? several.Cast<object?>().Select(ToProtocol).ToArray()
            : ToProtocol(inputData);

    // Names are left to PowerShell, whose error lists the valid ones.
    private static object? ToProtocol(object? element)
    {
        object? value = element is PSObject wrapped ? wrapped.BaseObject : element;
        string? text = value switch
        {
            string typed => typed,
            IConvertible and not Enum => Convert.ToString(value, CultureInfo.InvariantCulture),
            _ => null,
        };
        if (!long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number))
        {
            return value;
        }

        return number is >= byte.MinValue and <= byte.MaxValue
            ? (FlowProtocol)number
            : throw new ArgumentTransformationMetadataException($"{number} is not a protocol number. Use 0 to 255.");
    }
}
