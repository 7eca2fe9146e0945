using System.Text.Json.Serialization;

namespace Conntracker.Core.KernelSettings;

/// <summary>The content of a state file: the original values, and the captures that need them changed.</summary>
internal sealed class SettingsState
{
    /// <summary>The settings' names with the values found.</summary>
    public Dictionary<string, string> Found { get; init; } = [];

    /// <summary>The settings' names with the values set. A missing name was set to its purpose's usual value.</summary>
    // Not init: the generated reader would set a missing property to null.
    public Dictionary<string, string> Wanted { get; set; } = [];

    /// <summary>The captures that need the settings changed.</summary>
    public List<SettingsHolder> Holders { get; init; } = [];
}

/// <summary>A capture that needs the settings changed.</summary>
/// <param name="ProcessId">The capture's process.</param>
/// <param name="ProcessStart">The start time of that process, in clock ticks since boot: the kernel reuses process ids.</param>
/// <param name="Capture">The capture within that process.</param>
internal sealed record SettingsHolder(int ProcessId, long ProcessStart, Guid Capture);

/// <summary>Reads and writes the state without reflection.</summary>
[JsonSerializable(typeof(SettingsState))]
[JsonSourceGenerationOptions(WriteIndented = true)]
internal sealed partial class SettingsStateJson : JsonSerializerContext;
