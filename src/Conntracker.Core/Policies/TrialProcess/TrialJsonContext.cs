using System.Text.Json.Serialization;
using Conntracker.Core.Export.Json;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>The serializers of the lines between a trial and its process, generated when the engine is compiled.</summary>
[JsonSourceGenerationOptions(
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    Converters = [typeof(AddressJsonConverter)])]
[JsonSerializable(typeof(TrialSetup))]
[JsonSerializable(typeof(TrialReady))]
[JsonSerializable(typeof(TrialProbe))]
[JsonSerializable(typeof(TrialResult))]
internal sealed partial class TrialJsonContext : JsonSerializerContext;
