using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Conntracker.Core.Export.Json;

/// <summary>The serializers of flows, generated when the engine is compiled.</summary>
[JsonSourceGenerationOptions(
    RespectNullableAnnotations = true,
    Converters =
    [
        typeof(AddressJsonConverter),
        typeof(EnumJsonConverter<FlowProtocol>),
        typeof(EnumJsonConverter<FlowFamily>),
        typeof(EnumJsonConverter<FlowState>),
        typeof(EnumJsonConverter<TcpState>),
        typeof(EnumJsonConverter<SctpState>),
        typeof(EnumJsonConverter<DccpState>),
        typeof(EnumJsonConverter<FlowDirection>),
        typeof(EnumJsonConverter<FlowFolding>),
        typeof(EnumJsonConverter<FlowVerdict>),
        typeof(EnumJsonConverter<TraceStepType>),
        typeof(EnumJsonConverter<TraceEngine>),
        typeof(EnumJsonConverter<ProcessSource>),
    ])]
[JsonSerializable(typeof(Flow))]
internal sealed partial class FlowJsonContext : JsonSerializerContext
{
    /// <summary>How JSON is written: names in any script stay readable, as the file is not embedded in HTML. Control characters are always escaped.</summary>
    public static JsonWriterOptions WriterOptions => new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };
}
