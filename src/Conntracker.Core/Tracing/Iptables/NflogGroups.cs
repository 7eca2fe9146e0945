using System.Globalization;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>Reads the holders of NFLOG groups from /proc/net/netfilter/nfnetlink_log: the group, the netlink port of its socket, and more.</summary>
internal static class NflogGroups
{
    /// <summary>The file for the network namespace of the calling thread. Only root may read it.</summary>
    public const string Path = "/proc/thread-self/net/netfilter/nfnetlink_log";

    /// <summary>The netlink port of the socket that holds group 0, mostly a process id; null when the file lists none or cannot be read.</summary>
    public static uint? HolderOfGroup0(string path)
    {
        try
        {
            return Find(File.ReadLines(path));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>As <see cref="HolderOfGroup0"/>, from the lines of such a file.</summary>
    public static uint? Find(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (columns.Length > 1 && columns[0] == "0" && uint.TryParse(columns[1], CultureInfo.InvariantCulture, out uint port))
            {
                return port;
            }
        }

        return null;
    }
}
