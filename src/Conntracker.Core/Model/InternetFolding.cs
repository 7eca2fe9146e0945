namespace Conntracker;

/// <summary>
/// Which flows show their far end as "the internet", if its address is routed there: a firewall rule often does not distinguish
/// which internet address connects, or is connected to.
/// </summary>
public enum InternetFolding : byte
{
    /// <summary>None: every address is shown.</summary>
    None = 0,

    /// <summary>Incoming flows: their source.</summary>
    In = 1,

    /// <summary>Outgoing flows: their destination.</summary>
    Out = 2,

    /// <summary>Incoming and outgoing flows.</summary>
    Both = 3,
}
