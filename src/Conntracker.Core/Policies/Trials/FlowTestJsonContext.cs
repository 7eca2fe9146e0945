using System.Text.Json.Serialization;
using Conntracker.Core.Export.Json;

namespace Conntracker.Core.Policies.Trials;

/// <summary>The serializer of tests of flows, generated when the engine is compiled. Flows look as they do in a log.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
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
        typeof(JsonStringEnumConverter<FlowTestDependency>),
    ])]
[JsonSerializable(typeof(FlowTest))]
internal sealed partial class FlowTestJsonContext : JsonSerializerContext;
