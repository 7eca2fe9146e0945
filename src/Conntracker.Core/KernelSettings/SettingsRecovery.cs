namespace Conntracker.Core.KernelSettings;

/// <summary>What became of settings that a killed capture had left changed.</summary>
internal enum SettingsRecovery
{
    /// <summary>Nothing was left changed, or another capture still needs it.</summary>
    None,

    /// <summary>The values are those from before that capture.</summary>
    PutBack,

    /// <summary>The settings stay unchanged: before Linux 5.14 their network namespace may not be the one in which they were changed.</summary>
    Unknown,
}
