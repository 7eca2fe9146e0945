namespace Conntracker.Core.Netlink;

/// <summary>The result of decoding a message.</summary>
internal enum DecodeResult
{
    /// <summary>Decoded.</summary>
    Decoded,

    /// <summary>Well formed, but not relevant.</summary>
    Ignored,

    /// <summary>Not as the kernel writes it; the caller counts it.</summary>
    Malformed,
}
