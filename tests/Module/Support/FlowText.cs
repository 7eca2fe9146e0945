using System.Globalization;
using System.Management.Automation;

namespace Conntracker.Tests.Module.Support;

/// <summary>All of a flow that a user can read, as text: equal text, equal flows.</summary>
internal static class FlowText
{
    /// <summary>One text for each flow.</summary>
    public static string[] Of(IEnumerable<PSObject> flows) => [.. flows.Select(Of)];

    private static string Of(PSObject flow) => string.Join(
        '\n',
        flow.BaseObject.GetType().GetProperties().OrderBy(each => each.Name, StringComparer.Ordinal)
            .Select(each => $"{each.Name}={Text(each.GetValue(flow.BaseObject))}"));

    private static string Text(object? value) => value switch
    {
        DateTimeOffset time => time.ToString("O", CultureInfo.InvariantCulture),
        string text => text,
        System.Collections.IEnumerable several => string.Join("; ", several.Cast<object>().Select(Deep)),
        null => "",
        _ => value.GetType().Namespace == "Conntracker" && !value.GetType().IsEnum ? Deep(value) : Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };

    private static string Deep(object value) =>
        string.Join(',', value.GetType().GetProperties().Select(each => $"{each.Name}:{Convert.ToString(each.GetValue(value), CultureInfo.InvariantCulture)}"));
}
