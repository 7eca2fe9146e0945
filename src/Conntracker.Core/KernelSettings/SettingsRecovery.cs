namespace Conntracker.Core.KernelSettings;

/// <summary>What became of settings that a killed capture had left changed.</summary>
internal enum SettingsRecovery
{
    /// <summary>Nothing was left changed, or somebody still needs it.</summary>
    None,

    /// <summary>They are as they were before that capture.</summary>
    PutBack,

    /// <summary>They stay as they are: the network namespace that they were changed in may be another one (before Linux 5.14).</summary>
    Unknown,
}
