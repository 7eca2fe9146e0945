using System.Globalization;

namespace Conntracker.Core.Native;

/// <summary>Identifies a network namespace for as long as it exists.</summary>
/// <param name="Cookie">The kernel's cookie of the namespace, unique until the next boot; 0 before Linux 5.14.</param>
/// <param name="Inode">The inode of its file below /proc, which a later namespace may reuse.</param>
internal sealed record NetworkNamespaceId(ulong Cookie, ulong Inode)
{
    /// <summary>Whether no other namespace can have this id, earlier or later.</summary>
    public bool IsLasting => Cookie != 0 || Inode == InodeOf("/proc/1/ns/net");

    /// <summary>The id as part of a file name.</summary>
    public string Name => string.Create(CultureInfo.InvariantCulture, $"{(Cookie != 0 ? "" : "inode-")}{(Cookie != 0 ? Cookie : Inode)}");

    /// <summary>The namespace of the calling thread.</summary>
    /// <param name="cookie">Its cookie, read from a socket.</param>
    public static NetworkNamespaceId OfThread(ulong cookie) => new(cookie, InodeOf("/proc/thread-self/ns/net"));

    // The link's target is "net:[4026531840]". 0 if it cannot be read: the process of another user, or no /proc.
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
