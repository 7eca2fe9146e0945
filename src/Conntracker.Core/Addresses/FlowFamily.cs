namespace Conntracker;

/// <summary>The address family of a flow.</summary>
public enum FlowFamily : byte
{
    /// <summary>Unknown.</summary>
    None = 0,

    /// <summary>IPv4 (AF_INET).</summary>
    IPv4 = 4,

    /// <summary>IPv6 (AF_INET6).</summary>
    IPv6 = 6,
}
