namespace Conntracker;

/// <summary>The direction of a flow, as seen by the host whose connection tracking reported it.</summary>
public enum FlowDirection : byte
{
    /// <summary>Not known, because the host's addresses are not (in a text log, for example).</summary>
    Unknown = 0,

    /// <summary>From elsewhere to this host.</summary>
    In = 1,

    /// <summary>From this host to elsewhere.</summary>
    Out = 2,

    /// <summary>Through this host.</summary>
    Forward = 3,

    /// <summary>From this host to itself.</summary>
    Local = 4,
}
