namespace Conntracker.Core.Recording;

/// <summary>Why the kernel's table is dumped. The numbers stand in recordings: never change one.</summary>
internal enum DumpReason : byte
{
    /// <summary>The capture starts: flows that are open already.</summary>
    Start = 0,

    /// <summary>Events were lost: what they said is read from the table.</summary>
    Repair = 1,

    /// <summary>Counters are wanted as they are now.</summary>
    Refresh = 2,
}
