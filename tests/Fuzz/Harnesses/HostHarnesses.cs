using System.Text;
using Conntracker.Core.Hosts;
using Conntracker.Core.Netlink;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>The description of a host: the kernel's messages about interfaces, addresses, routes and routing rules, and JSON.</summary>
internal static class HostHarnesses
{
    // The messages' types, each with the length of its header.
    private static readonly (string Name, int Type, int Header)[] s_messages =
        [("host-interface", 16, 16), ("host-address", 20, 8), ("host-route", 24, 12), ("host-rule", 32, 12)];

    private static readonly byte[][] s_words =
    [
        .. new[]
        {
            "\"", "\\", "\\u0000", "\\ud800", "{", "}", "[", "]", ",", ":", "null", "true", "-1", "1e3", "4294967296", "// x\n", "/*",
            "\"Interfaces\": [", "\"Index\": ", "\"Addresses\": [\"", "/33", "192.0.2.1/24",
            "\"Settings\": {\"", "net.//.", "\uFEFF",
        }.Select(Encoding.UTF8.GetBytes),
    ];

    private static readonly Dictionary<int, string> s_names = Enumerable.Range(1, 100).ToDictionary(each => each, each => $"if{each}");

    public static IEnumerable<Harness> All()
    {
        byte[] bytes = Corpus.UnitFile("hosts", "host.bin");
        List<byte[]> messages = [];
        for (int start = 0; start < bytes.Length;)
        {
            int length = BitConverter.ToInt32(bytes, start);
            messages.Add(bytes[start..(start + length)]);
            start += NetlinkAlignment.Align(length);
        }

        foreach ((string name, int type, int header) in s_messages)
        {
            yield return new Harness(
                name, [.. messages.Where(each => BitConverter.ToUInt16(each, 4) == type)], new NetlinkMutator(header), Messages);
        }

        FirewallHost host = new()
        {
            Name = "gate",
            Interfaces =
            [
                new FirewallInterface { Name = "eth0", Index = 2, Kind = "veth", Addresses = ["192.0.2.1/24"], PeerAddresses = ["192.0.2.2/32"] },
            ],
            Routes = [new FirewallRoute { Destination = "0.0.0.0/0", Gateway = "192.0.2.254" }],
            RoutingRules = [new FirewallRoutingRule { Family = FlowFamily.IPv6, Priority = 7, Table = 100, Mark = 1 }],
            Settings = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1" },
            IpSets = [new FirewallIpSet { Name = "bad", Text = "create bad hash:ip\n" }],
            Users = new Dictionary<string, uint> { ["root"] = 0 },
        };
        yield return new Harness("host-json", [Encoding.UTF8.GetBytes(host.ToJson())], new ByteMutator(s_words), Json);
        const string Sets = "create bad hash:ip family inet\nadd bad 192.0.2.1\ncreate all list:set\nadd all bad\n";
        yield return new Harness("ipset-save", [Encoding.UTF8.GetBytes(Sets)], new ByteMutator(), IpSets);
    }

    private static void Messages(ReadOnlySpan<byte> datagram)
    {
        HostOmissions omissions = new();
        HostRouteDecoder routes = new(s_names, omissions);
        RoutingRuleDecoder rules = new(omissions);
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            bool isLink = InterfaceDecoder.Decode(in message, out FirewallInterface? link, out _) == DecodeResult.Decoded;
            Must.Be(isLink == link is { Name.Length: > 0, Index: > 0 }, "An interface that is decoded has a name and an index.");
            _ = InterfaceAddress.Decode(in message, out _);
            Must.Be(routes.Decode(in message, out FirewallRoute? route) == DecodeResult.Decoded == route is not null, "A route is there when it is decoded.");
            Must.Be(rules.Decode(in message, out FirewallRoutingRule? rule) == DecodeResult.Decoded == rule is not null, "A rule is there when it is decoded.");
        }

        _ = omissions.ToNotices();
    }

    private static void Json(ReadOnlySpan<byte> input)
    {
        try
        {
            string json = FirewallHostJson.Read(input, "It").ToJson();
            Must.Be(FirewallHost.FromJson(json).ToJson() == json, "What is read can be written and read again.");
        }
        catch (ConntrackException error) when (error.Reason == ConntrackErrorReason.HostDescriptionInvalid)
        {
            Must.Be(error.Message.StartsWith("It", StringComparison.Ordinal), "An error says where.");
        }
    }

    private static void IpSets(ReadOnlySpan<byte> input)
    {
        string text = Encoding.UTF8.GetString(input);
        Must.Be(IpSetReader.Parse(text, new HostOmissions()).Sum(each => each.Text.Length) <= text.Length, "Each set is a part of the text.");
    }
}
