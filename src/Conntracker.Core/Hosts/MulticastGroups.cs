using System.Globalization;
using System.Net;

namespace Conntracker.Core.Hosts;

/// <summary>Reads the multicast groups that were joined on each interface, from /proc/net/igmp and igmp6.</summary>
internal static class MulticastGroups
{
    private const int IPv6Digits = 32;
    private const int IPv4Digits = 8;

    /// <summary>The IPv4 groups of the lines of /proc/net/igmp, without the one of all hosts.</summary>
    public static IEnumerable<(int Index, string Group)> ReadIPv4(IEnumerable<string> lines)
    {
        // A line that begins with the index of an interface is followed by one line for each of its groups, which begins with the group in hexadecimal.
        int index = 0;
        foreach (string line in lines)
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 0 && line[0] is >= '0' and <= '9')
            {
                index = Number(words[0]);
            }
            else if (words.Length > 0 && index > 0 && words[0].Length == IPv4Digits
                && uint.TryParse(words[0], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint bits))
            {
                // The four bytes are printed as a number of the machine.
                string group = new IPAddress(BitConverter.GetBytes(bits)).ToString();
                if (group != "224.0.0.1")
                {
                    yield return (index, group);
                }
            }
        }
    }

    /// <summary>
    /// The IPv6 groups of the lines of /proc/net/igmp6, without those of all nodes, of all routers, which the kernel joins when it forwards, and of
    /// the solicitations for its own addresses.
    /// </summary>
    public static IEnumerable<(int Index, string Group)> ReadIPv6(IEnumerable<string> lines)
    {
        // Index, interface, group, users, …
        foreach (string line in lines)
        {
            string[] words = line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length < 3 || Number(words[0]) is not (> 0 and int index) || words[2].Length != IPv6Digits || !words[2].All(char.IsAsciiHexDigit))
            {
                continue;
            }

            byte[] group = Convert.FromHexString(words[2]);
            if (!IsJoinedByTheKernel(group))
            {
                yield return (index, new IPAddress(group).ToString());
            }
        }
    }

    private static bool IsJoinedByTheKernel(ReadOnlySpan<byte> group) =>
        group[0] == 0xff && group[2..11].IndexOfAnyExcept((byte)0) < 0
        && (group[11..] is [0, 0, 0, 0, 1 or 2] || (group[1] == 2 && group[11..13] is [1, 0xff]));

    private static int Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
