using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>Writes a policy as JSON; the keys are the names of the properties, in camel case.</summary>
internal static class JsonPolicyWriter
{
    /// <summary>The text; each line ends with a line feed.</summary>
    public static string Write(FirewallPolicy policy)
    {
        ArrayBufferWriter<byte> buffer = new();
        JsonWriterOptions options = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
        using (Utf8JsonWriter json = new(buffer, options))
        {
            json.WriteStartObject();
            json.WriteString("defaultVerdict", policy.DefaultVerdict.ToString());
            json.WriteNumber("flows", policy.Flows);
            json.WriteNumber("connections", policy.Connections);
            Time(json, "firstSeen", policy.FirstSeen);
            Time(json, "lastSeen", policy.LastSeen);
            Texts(json, "ownAddresses", policy.OwnAddresses.Select(each => each.ToString()));
            json.WriteStartObject("omitted");
            foreach (IGrouping<FlowOmissionReason, FlowOmission> reason in policy.Omitted.GroupBy(each => each.Reason).OrderBy(each => each.Key))
            {
                json.WriteNumber(reason.Key.ToString(), reason.Count());
            }

            json.WriteEndObject();
            json.WriteStartArray("rules");
            foreach (FirewallPolicyRule rule in policy.Rules)
            {
                Rule(json, rule);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan) + "\n";
    }

    private static void Rule(Utf8JsonWriter json, FirewallPolicyRule rule)
    {
        json.WriteStartObject();
        json.WriteString("direction", rule.Direction.ToString());
        Text(json, "family", rule.Family == FlowFamily.None ? null : rule.Family.ToString());
        json.WriteString("protocol", rule.Protocol.ToString());
        json.WriteNumber("protocolNumber", (byte)rule.Protocol);
        Text(json, "inInterface", rule.InInterface);
        Text(json, "outInterface", rule.OutInterface);
        Texts(json, "sources", rule.Sources.Select(each => each.ToString()));
        Texts(json, "destinations", rule.Destinations.Select(each => each.ToString()));
        Text(json, "sourcePort", rule.SourcePort?.ToString(CultureInfo.InvariantCulture));
        Texts(json, "ports", rule.Ports.Select(each => each.ToString()));
        json.WriteStartArray("icmpTypes");
        foreach (byte type in rule.IcmpTypes)
        {
            json.WriteNumberValue(type);
        }

        json.WriteEndArray();
        json.WriteNumber("widening", rule.Widening);
        json.WriteNumber("flows", rule.Flows);
        json.WriteNumber("connections", rule.Connections);
        Time(json, "firstSeen", rule.FirstSeen);
        Time(json, "lastSeen", rule.LastSeen);
        Texts(json, "processes", rule.Processes);
        json.WriteEndObject();
    }

    private static void Time(Utf8JsonWriter json, string name, DateTimeOffset? time) =>
        Text(json, name, time?.UtcDateTime.ToString("O", CultureInfo.InvariantCulture));

    private static void Text(Utf8JsonWriter json, string name, string? value)
    {
        if (value is null)
        {
            json.WriteNull(name);
        }
        else
        {
            json.WriteString(name, value);
        }
    }

    private static void Texts(Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
        {
            json.WriteStringValue(value);
        }

        json.WriteEndArray();
    }
}
