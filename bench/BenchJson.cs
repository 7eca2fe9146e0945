using System.Text.Json.Serialization;

namespace Conntracker.Bench;

/// <summary>What is written and read as JSON: the native program knows no type that is not named here.</summary>
[JsonSourceGenerationOptions(WriteIndented = true)]
[JsonSerializable(typeof(ChildResult))]
[JsonSerializable(typeof(List<Figure>))]
internal sealed partial class BenchJson : JsonSerializerContext;
