namespace Conntracker.Core.Tracing;

/// <summary>What a step does to a packet's way through a base chain.</summary>
internal enum StepOutcome : byte
{
    /// <summary>The way goes on: a jump, a return, a rule without verdict.</summary>
    None,

    /// <summary>The base chain is done, the packet goes on to the next one.</summary>
    Accept,

    /// <summary>The packet ends here.</summary>
    Drop,

    /// <summary>The packet ends here, and its sender is told.</summary>
    Reject,
}
