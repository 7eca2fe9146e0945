namespace Conntracker;

/// <summary>Which packets a capture traces through the rules.</summary>
public enum TraceMode : byte
{
    /// <summary>None, except those of flows that are selected while the capture runs.</summary>
    None = 0,

    /// <summary>Those of each flow, once, for a limited time after its first packet was seen.</summary>
    Flows = 1,

    /// <summary>All packets.</summary>
    Everything = 2,
}
