using System.Globalization;

namespace Conntracker.Core.Native;

/// <summary>Identifies a network namespace among all others while it lives.</summary>
/// <param name="Cookie">The kernel's cookie of it, never used twice until the next boot; 0 before Linux 5.14.</param>
/// <param name="Inode">The inode of its file below /proc, which a later namespace may get.</param>
internal sealed record NetworkNamespaceId(ulong Cookie, ulong Inode)
{
    /// <summary>Whether no other namespace can have had this id before, or get it later.</summary>
    public bool IsLasting => Cookie != 0 || Inode == InodeOf("/proc/1/ns/net");

    /// <summary>A name for files.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{(Cookie != 0 ? "" : "inode-")}{(Cookie != 0 ? Cookie : Inode)}");

    /// <summary>The namespace of the calling thread.</summary>
    /// <param name="cookie">Its cookie, read from a socket.</param>
    public static NetworkNamespaceId OfThread(ulong cookie) => new(cookie, InodeOf("/proc/thread-self/ns/net"));

    // The link's target is "net:[4026531840]". 0 when it cannot be read: of another user's process, or without /proc.
    private static ulong InodeOf(string path)
    {
        try
        {
            string target = new FileInfo(path).LinkTarget ?? "";
            int start = target.IndexOf('[', StringComparison.Ordinal) + 1;
            return start > 0 && ulong.TryParse(target.AsSpan(start).TrimEnd(']'), NumberStyles.None, CultureInfo.InvariantCulture, out ulong inode) ? inode : 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
