namespace Conntracker;

/// <summary>Which packets a capture traces through the rules.</summary>
public enum TraceMode : byte
{
    /// <summary>None, but those of flows that are chosen while it runs.</summary>
    None = 0,

    /// <summary>Those of each flow, for a bounded time after its first packet was seen, once.</summary>
    Flows = 1,

    /// <summary>All of them.</summary>
    Everything = 2,
}
