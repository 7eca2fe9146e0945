namespace Conntracker;

/// <summary>What a packet met at a step.</summary>
public enum TraceStepType : byte
{
    /// <summary>The policy of a base chain.</summary>
    Policy = 0,

    /// <summary>A rule that matched.</summary>
    Rule = 1,

    /// <summary>The end of a user-defined chain, or a RETURN: back to the calling chain.</summary>
    Return = 2,
}
