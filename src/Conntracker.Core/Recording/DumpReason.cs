namespace Conntracker.Core.Recording;

/// <summary>Why the kernel's table is dumped. The values are part of the recording format: never change one.</summary>
internal enum DumpReason : byte
{
    /// <summary>The capture starts and reads the flows that are already open.</summary>
    Start = 0,

    /// <summary>Events were lost: the table shows what they would have reported.</summary>
    Repair = 1,

    /// <summary>The current counters are needed.</summary>
    Refresh = 2,
}
