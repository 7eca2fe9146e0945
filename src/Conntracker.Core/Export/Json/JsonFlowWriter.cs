using System.Buffers;
using System.Text.Json;
using Conntracker.Core.Export.Common;

namespace Conntracker.Core.Export.Json;

/// <summary>Writes flows as JSON, one object per line: as one array, or as separate lines.</summary>
internal sealed class JsonFlowWriter : IFlowWriter
{
    private readonly Utf8Output _output;
    private readonly bool _array;
    private readonly ArrayBufferWriter<byte> _object = new(2048);
    private readonly Utf8JsonWriter _json;
    private bool _any;

    /// <summary>Creates a writer of an array, or of lines.</summary>
    public JsonFlowWriter(Stream stream, bool array)
    {
        _output = new Utf8Output(stream);
        _array = array;
        _json = new Utf8JsonWriter(_object, FlowJsonContext.WriterOptions);
    }

    /// <inheritdoc/>
    public void Write(Flow flow)
    {
        _object.ResetWrittenCount();
        _json.Reset();
        JsonSerializer.Serialize(_json, flow, FlowJsonContext.Default.Flow);
        _json.Flush();

        if (_array)
        {
            _output.Write(_any ? ",\n"u8 : "[\n"u8);
        }

        _output.Write(_object.WrittenSpan);
        if (!_array)
        {
            _output.Write("\n"u8);
        }

        _any = true;
    }

    /// <inheritdoc/>
    public void Complete()
    {
        if (_array)
        {
            _output.Write(_any ? "\n]\n"u8 : "[]\n"u8);
        }

        _output.Flush();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _json.Dispose();
        _output.Dispose();
    }
}
