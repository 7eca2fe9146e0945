using System.Management.Automation;
using System.Net;

namespace Conntracker.PowerShell;

/// <summary>
/// Accepts single addresses. PowerShell alone would read <c>10.1</c> as 10.0.0.1 and <c>010.0.0.1</c> as 8.0.0.1.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class AddressAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData) =>
        LanguagePrimitives.GetEnumerable(inputData) is System.Collections.IEnumerable several
            ? several.Cast<object?>().Select(ToAddress).ToArray()
            : ToAddress(inputData);

    private static object? ToAddress(object? element)
    {
        object? value = element is PSObject wrapped ? wrapped.BaseObject : element;
        if (value is null or IPAddress)
        {
            return value;
        }

        string text = LanguagePrimitives.ConvertTo<string>(value);
        return !text.Contains('/', StringComparison.Ordinal) && AddressRange.TryParse(text, out _)
            ? IPAddress.Parse(text)
            : throw new ArgumentTransformationMetadataException($"'{text}' is not a single address. Use 192.0.2.7 or 2001:db8::7.");
    }
}
