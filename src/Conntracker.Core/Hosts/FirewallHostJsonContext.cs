using System.Text.Json.Serialization;
using Conntracker.Core.Export.Json;

namespace Conntracker.Core.Hosts;

/// <summary>
/// Writes hosts as JSON; generated when the engine is compiled. It cannot read them: generated code sets a property that a file does not mention to 0 or
/// null, not to the property's own default.
/// </summary>
[JsonSourceGenerationOptions(
    GenerationMode = JsonSourceGenerationMode.Default,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    Converters = [typeof(EnumJsonConverter<FlowFamily>)])]
[JsonSerializable(typeof(FirewallHost))]
internal sealed partial class FirewallHostJsonContext : JsonSerializerContext;
