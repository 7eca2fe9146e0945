namespace Conntracker;

/// <summary>Where a flow goes, seen from the host whose connection tracking reported it.</summary>
public enum FlowDirection : byte
{
    /// <summary>Not known: the host's addresses are not (a log of text, say).</summary>
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
