using System.Globalization;

namespace Conntracker.Core.Netlink;

/// <summary>Reads how many messages the kernel could not queue to a netlink socket, from /proc/net/netlink (column Drops).</summary>
internal static class NetlinkSocketDrops
{
    private const int ProtocolColumn = 1;
    private const int PortColumn = 2;
    private const int DropsColumn = 8;

    /// <summary>The file, as the network namespace of the calling thread sees it.</summary>
    public const string Path = "/proc/thread-self/net/netlink";

    /// <summary>The drops of a socket; null if the file cannot be read or does not list it.</summary>
    public static long? Read(string path, int protocol, uint portId)
    {
        try
        {
            return Find(File.ReadLines(path), protocol, portId);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The drops of a socket in the lines of the file; null if it is not listed.</summary>
    public static long? Find(IEnumerable<string> lines, int protocol, uint portId)
    {
        foreach (string line in lines)
        {
            string[] columns = line.Split(' ', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            if (columns.Length > DropsColumn
                && int.TryParse(columns[ProtocolColumn], CultureInfo.InvariantCulture, out int foundProtocol)
                && foundProtocol == protocol
                && uint.TryParse(columns[PortColumn], CultureInfo.InvariantCulture, out uint foundPort)
                && foundPort == portId
                && long.TryParse(columns[DropsColumn], CultureInfo.InvariantCulture, out long drops))
            {
                return drops;
            }
        }

        return null;
    }
}
