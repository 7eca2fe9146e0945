namespace Conntracker;

/// <summary>
/// Of which flows the far end is told as "the internet" where its address is routed there: for firewall rules it is one and the same
/// who of all the internet connects, or is connected to.
/// </summary>
public enum InternetFolding : byte
{
    /// <summary>Of none: every address is told.</summary>
    None = 0,

    /// <summary>Of those that come in: their source.</summary>
    In = 1,

    /// <summary>Of those that go out: their destination.</summary>
    Out = 2,

    /// <summary>Of both.</summary>
    Both = 3,
}
