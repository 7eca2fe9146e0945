namespace Conntracker.Core.Netlink;

/// <summary>What became of a message's bytes.</summary>
internal enum DecodeResult
{
    /// <summary>Decoded.</summary>
    Decoded,

    /// <summary>Well formed, and of no concern here.</summary>
    Ignored,

    /// <summary>Not as the kernel writes it: to be counted.</summary>
    Malformed,
}
