using System.Text.Json.Serialization;

namespace Conntracker.Core.KernelSettings;

/// <summary>What a state file says: the settings as they were, and who needs them changed.</summary>
internal sealed class SettingsState
{
    /// <summary>The settings' names with the values that were found.</summary>
    public Dictionary<string, string> Found { get; init; } = [];

    /// <summary>The settings' names with the values that they were given. A name that is missing was given its purpose's usual value.</summary>
    // Not init: the generated reader would take a missing one for null.
    public Dictionary<string, string> Wanted { get; set; } = [];

    /// <summary>Who needs them changed.</summary>
    public List<SettingsHolder> Holders { get; init; } = [];
}

/// <summary>A capture that needs the settings changed.</summary>
/// <param name="ProcessId">Its process.</param>
/// <param name="ProcessStart">When that process began, in clock ticks since boot: a number that is used again is another process.</param>
/// <param name="Capture">Which capture of that process.</param>
internal sealed record SettingsHolder(int ProcessId, long ProcessStart, Guid Capture);

/// <summary>Reads and writes the state without reflection.</summary>
[JsonSerializable(typeof(SettingsState))]
[JsonSourceGenerationOptions(WriteIndented = true)]
internal sealed partial class SettingsStateJson : JsonSerializerContext;
