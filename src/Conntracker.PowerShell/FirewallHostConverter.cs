using System.Buffers;
using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Text;
using System.Text.Json;

namespace Conntracker.PowerShell;

/// <summary>
/// Makes a host of an object that comes from Import-Clixml, another session or ConvertFrom-Json: a bag of properties. Its way leads through JSON, so that
/// the same checks apply.
/// </summary>
internal static class FirewallHostConverter
{
    private const int MaximumDepth = 16;

    /// <summary>Converts an object.</summary>
    /// <param name="value">A host, or an object with its properties.</param>
    /// <param name="source">Where it is from; the beginning of error messages.</param>
    /// <exception cref="ConntrackException">It is not the description of a host.</exception>
    public static FirewallHost Convert(object? value, string source)
    {
        if ((value is PSObject wrapped ? wrapped.BaseObject : value) is FirewallHost host)
        {
            return host;
        }

        ArrayBufferWriter<byte> json = new();
        using (Utf8JsonWriter writer = new(json))
        {
            Write(writer, value, source, depth: 0);
        }

        return FirewallHost.FromJson(Encoding.UTF8.GetString(json.WrittenSpan), source);
    }

    private static void Write(Utf8JsonWriter writer, object? value, string source, int depth)
    {
        if (depth > MaximumDepth)
        {
            throw new ConntrackException(ConntrackErrorReason.HostDescriptionInvalid, $"{source}: it is nested too deeply for the description of a host.");
        }

        // An enum of another session is an object with a number inside, and so is what is left of a time.
        object? inner = value is PSObject wrapped ? wrapped.BaseObject : value;
        switch (inner)
        {
            case null:
                writer.WriteNullValue();
                break;
            case string text:
                writer.WriteStringValue(text);
                break;
            case bool flag:
                writer.WriteBooleanValue(flag);
                break;
            case DateTime time:
                writer.WriteStringValue(new DateTimeOffset(time.Kind == DateTimeKind.Unspecified ? DateTime.SpecifyKind(time, DateTimeKind.Utc) : time));
                break;
            case DateTimeOffset time:
                writer.WriteStringValue(time);
                break;
            case Enum named:
                writer.WriteStringValue(named.ToString());
                break;
            case IDictionary map:
                WriteObject(
                    writer, map.Cast<DictionaryEntry>().Select(each => (LanguagePrimitives.ConvertTo<string>(each.Key), (object?)each.Value)), source, depth);
                break;
            case IEnumerable list:
                writer.WriteStartArray();
                foreach (object? each in list)
                {
                    Write(writer, each, source, depth + 1);
                }

                writer.WriteEndArray();
                break;
            case IConvertible number when Type.GetTypeCode(number.GetType()) is >= TypeCode.SByte and <= TypeCode.Decimal:
                writer.WriteRawValue(number.ToString(CultureInfo.InvariantCulture)!);
                break;
            default:
                WriteBag(writer, PSObject.AsPSObject(value!), source, depth);
                break;
        }
    }

    private static void WriteBag(Utf8JsonWriter writer, PSObject bag, string source, int depth)
    {
        // Export-Clixml writes a time with an offset as a bag, in which the time stands in UTC.
        if (bag.TypeNames.Any(each => each.EndsWith("System.DateTimeOffset", StringComparison.Ordinal)) && bag.Properties["UtcDateTime"]?.Value is { } utc)
        {
            Write(writer, utc, source, depth + 1);
            return;
        }

        // A remote session adds these.
        WriteObject(
            writer,
            bag.Properties
                .Where(each => each.Name is not ("PSComputerName" or "PSShowComputerName" or "RunspaceId" or "PSSourceJobInstanceId"))
                .Select(each => (each.Name, (object?)each.Value)),
            source,
            depth);
    }

    private static void WriteObject(Utf8JsonWriter writer, IEnumerable<(string Name, object? Value)> properties, string source, int depth)
    {
        writer.WriteStartObject();
        foreach ((string name, object? value) in properties)
        {
            writer.WritePropertyName(name);
            Write(writer, value, source, depth + 1);
        }

        writer.WriteEndObject();
    }
}
