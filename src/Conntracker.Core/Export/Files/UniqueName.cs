namespace Conntracker.Core.Export.Files;

/// <summary>
/// Names that cannot be guessed, for files in directories that other users can write to. They come from the kernel's random numbers; .NET's own
/// cryptography would load OpenSSL, which a firewall host need not have.
/// </summary>
internal static class UniqueName
{
    /// <summary>32 hexadecimal digits; 122 bits are random (RFC 9562, version 4).</summary>
    public static string Next() => Guid.NewGuid().ToString("N");
}
