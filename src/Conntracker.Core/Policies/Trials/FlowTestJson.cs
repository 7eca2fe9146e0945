using System.Buffers;
using System.Text;
using System.Text.Json;
using Conntracker.Core.Export.Json;
using Conntracker.Core.Policies.Trials;

namespace Conntracker;

/// <summary>Tests of flows as JSON.</summary>
public static class FlowTestJson
{
    /// <summary>A test as one line: an object with the names of the properties, without those that are null.</summary>
    public static string Format(FlowTest test)
    {
        ArrayBufferWriter<byte> line = new();
        using (Utf8JsonWriter writer = new(line, FlowJsonContext.WriterOptions))
        {
            JsonSerializer.Serialize(writer, test, FlowTestJsonContext.Default.FlowTest);
        }

        return Encoding.UTF8.GetString(line.WrittenSpan);
    }
}
