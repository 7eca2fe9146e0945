using System.Globalization;
using System.Net;
using Xunit;

namespace Conntracker.Tests.Unit.Policies.Suggestions;

/// <summary>
/// What the text for iptables-restore, of one family or of both, does to a new connection's first packet. It fails at options that it does not know.
/// </summary>
internal sealed class IptablesModel
{
    private readonly Dictionary<string, List<(List<Func<FilterPacket, bool>> Matches, string Target)>> _chains = [];

    public IptablesModel(string text, bool isIPv6)
    {
        string[] lines = text.Split('\n');
        Assert.Contains("*filter", lines);
        Assert.Contains("COMMIT", lines);
        foreach (string line in lines.Where(each => each.Length > 0 && each[0] is '-' or ':'))
        {
            string own = isIPv6 ? "-6 " : "-4 ";
            string other = isIPv6 ? "-4 " : "-6 ";
            if (line[0] == ':')
            {
                _chains.Add(line[1..].Split(' ')[0], []);
                continue;
            }

            if (!line.StartsWith(other, StringComparison.Ordinal))
            {
                string[] words = Words(line.StartsWith(own, StringComparison.Ordinal) ? line[3..] : line);
                Assert.Equal("-A", words[0]);
                _chains[words[1]].Add(Compile(words[2..]));
            }
        }
    }

    public bool Accepts(FilterPacket packet) => Walk(packet.Chain.ToUpperInvariant(), packet) ?? false;

    private bool? Walk(string chain, FilterPacket packet)
    {
        foreach ((List<Func<FilterPacket, bool>> matches, string target) in _chains[chain])
        {
            bool? verdict = !matches.TrueForAll(each => each(packet)) ? null : target switch
            {
                "ACCEPT" => true,
                "DROP" or "REJECT" => false,
                _ => Walk(target, packet),
            };
            if (verdict is not null)
            {
                return verdict;
            }
        }

        return null;
    }

    private static (List<Func<FilterPacket, bool>> Matches, string Target) Compile(string[] rule)
    {
        List<Func<FilterPacket, bool>> matches = [];
        for (int i = 0; i < rule.Length; i += 2)
        {
            string option = rule[i];
            string value = rule[i + 1];
            switch (option)
            {
                case "-j":
                    return (matches, value);
                case "-m" when value == "addrtype":
                    Assert.Equal("! --dst-type LOCAL", string.Join(' ', rule[(i + 2)..(i + 5)]));
                    matches.Add(packet => !packet.IsForThisHost);
                    i += 3;
                    break;
                case "-m" or "--comment" or "--reject-with":
                    break;
                case "--ctstate" or "-i" or "-o":
                    matches.Add(_ => false);
                    break;
                case "-p":
                    matches.Add(packet => value == NameOf(packet.Protocol) || value == ((int)packet.Protocol).ToString(CultureInfo.InvariantCulture));
                    break;
                case "-s" or "-d":
                    IPAddress address = IPAddress.Parse(value.Split('/')[0]);
                    IPNetwork network = value.Contains('/', StringComparison.Ordinal) ? IPNetwork.Parse(value)
                        : new IPNetwork(address, address.GetAddressBytes().Length * 8);
                    matches.Add(packet => network.Contains(option == "-s" ? packet.Src : packet.Dst));
                    break;
                case "--sport" or "--dport" or "--dports":
                    Assert.True(value.Split(',', ':').Length <= 15);
                    int[][] ranges = [.. value.Split(',').Select(each =>
                        each.Split(':').Select(end => int.Parse(end, CultureInfo.InvariantCulture)).ToArray())];
                    Func<FilterPacket, int> port = packet => option == "--sport" ? packet.SrcPort : packet.Service;
                    matches.Add(packet => ranges.Any(each => each[0] <= port(packet) && port(packet) <= each[^1]));
                    break;
                case "--icmp-type" or "--icmpv6-type":
                    matches.Add(packet => value == packet.Service.ToString(CultureInfo.InvariantCulture));
                    break;
                default:
                    throw new FormatException($"Unknown option {option} in {string.Join(' ', rule)}");
            }
        }

        throw new FormatException($"A rule without a target: {string.Join(' ', rule)}");
    }

    private static string NameOf(FlowProtocol protocol) => protocol == FlowProtocol.IcmpV6 ? "ipv6-icmp" : protocol.ToString().ToLowerInvariant();

    // Words, of which those in double quotes may have spaces.
    private static string[] Words(string line)
    {
        string[] parts = line.Split('"');
        Assert.True(parts.Length % 2 == 1, line);
        return [.. parts.SelectMany((part, i) => i % 2 == 1 ? [part] : part.Split(' ', StringSplitOptions.RemoveEmptyEntries))];
    }
}
