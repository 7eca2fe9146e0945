using System.Buffers.Binary;
using System.Text;
using System.Text.RegularExpressions;
using Conntracker.Core.Captures;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Conntracker.Core.Rulesets;
using Conntracker.Core.Tracing;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>A collector that is told of traced packets, one millisecond after the other.</summary>
internal sealed partial class TraceProbe : IDisposable
{
    private uint _lastId;

    public TraceProbe(int maximumFlows = CaptureOptions.MinimumOfMaximumFlows, params FlowProtocol[] protocols) =>
        Collector = new FlowCollector(maximumFlows, protocols);

    public FlowCollector Collector { get; }

    public TraceCollector Tracing => Collector.Tracing;

    public DateTimeOffset Now { get; set; } = CollectorProbe.Start;

    /// <summary>The base chains of the rules: <c>inet fw forward</c>.</summary>
    public HashSet<string> BaseChains { get; } = [];

    public void Take(MessageKind kind, byte[] data)
    {
        Now = Now.AddMilliseconds(1);
        Collector.Handle(kind, Now.UtcTicks, data);
    }

    public void Event(byte[] datagram) => Take(MessageKind.ConntrackEvent, datagram);

    public void Trace(NftTrace message) => Take(MessageKind.NftablesTrace, message.Message());

    /// <summary>The rules are asked for and read.</summary>
    public void Rules(string text, RulesetKind kind = RulesetKind.Nftables)
    {
        Request(kind);
        Text(text, kind);
    }

    public void Request(RulesetKind kind = RulesetKind.Nftables) => Take(MessageKind.RulesetRequested, [(byte)kind]);

    public void Text(string text, RulesetKind kind = RulesetKind.Nftables)
    {
        MessageKind frame = kind switch
        {
            RulesetKind.Nftables => MessageKind.NftablesRuleset,
            RulesetKind.Iptables => MessageKind.IptablesRuleset,
            _ => MessageKind.Ip6tablesRuleset,
        };
        string table = "";
        string chain = "";
        foreach (string line in text.Split('\n'))
        {
            table = TableLine().Match(line) is { Success: true } found ? $"{found.Groups[1]} {found.Groups[2]}" : table;
            chain = ChainLine().Match(line) is { Success: true } named ? named.Groups[1].Value : chain;
            if (line.Contains(" hook ", StringComparison.Ordinal))
            {
                BaseChains.Add($"{table} {chain}");
            }
        }

        Take(frame, [1, .. Encoding.UTF8.GetBytes(text)]);
    }

    /// <summary>The kernel reports that a rule came or went, and that it was all of the transaction.</summary>
    /// <param name="family">NFPROTO_*.</param>
    /// <param name="table">The table's name.</param>
    /// <param name="message">NFT_MSG_*.</param>
    /// <param name="handle">The handle of what was made: of the table when it is a table, of the chain when it is one.</param>
    /// <param name="chain">The name of the chain.</param>
    /// <param name="isCommitted">Whether no further change belongs to the transaction.</param>
    public void Changed(
        byte family = NFPROTO_INET, string table = "fw", int message = NFT_MSG_NEWRULE, ulong handle = 0, string chain = "forward", bool isCommitted = true)
    {
        byte[] number = new byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64BigEndian(number, handle);
        NetlinkWriter writer = new(new byte[256]);
        writer.BeginMessage((NFNL_SUBSYS_NFTABLES << 8) | message, 0, 0);
        writer.WriteStruct(new nfgenmsg { nfgen_family = family });
        writer.WriteBytes(NFTA_RULE_TABLE, [.. Encoding.UTF8.GetBytes(table), 0]);
        if (message == NFT_MSG_NEWTABLE)
        {
            writer.WriteBytes(NFTA_TABLE_HANDLE, number);
        }
        else if (message is NFT_MSG_NEWCHAIN or NFT_MSG_DELCHAIN)
        {
            writer.WriteBytes(NFTA_CHAIN_HANDLE, number);
            writer.WriteBytes(NFTA_CHAIN_NAME, [.. Encoding.UTF8.GetBytes(chain), 0]);
            writer.WriteBytes(NFTA_CHAIN_HOOK, []);
        }

        writer.EndMessage();
        if (isCommitted)
        {
            writer.BeginMessage((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN, 0, 0);
            writer.WriteStruct(default(nfgenmsg));
            writer.EndMessage();
        }

        Take(MessageKind.NftablesTrace, writer.Written.ToArray());
    }

    /// <summary>A packet on its way.</summary>
    /// <param name="header">Its header as it comes in.</param>
    /// <param name="ct">Its connection's id; 0 where the kernel does not tell it.</param>
    /// <param name="isReply">Whether the kernel says that it travels in the reply direction.</param>
    public TracedPacket Packet(PacketHeader? header = null, uint ct = 0, bool isReply = false) =>
        new(this, header ?? new PacketHeader(), ct, isReply) { Id = ++_lastId };

    /// <summary>A TRACE line of iptables-legacy, through NFLOG.</summary>
    public void Line(string prefix, PacketHeader header, byte hook = NflogConstants.NF_INET_FORWARD)
    {
        byte[] packet = header.Whole();
        NetlinkWriter writer = new(new byte[512]);
        writer.BeginMessage((NflogConstants.NFNL_SUBSYS_ULOG << 8) | NflogConstants.NFULNL_MSG_PACKET, 0, 0);
        writer.WriteStruct(new nfgenmsg { nfgen_family = (byte)(packet[0] >> 4 == 6 ? NftablesConstants.NFPROTO_IPV6 : NftablesConstants.NFPROTO_IPV4) });
        writer.WriteBytes(NflogConstants.NFULA_PACKET_HDR, [8, 0, hook, 0]);
        writer.WriteBytes(NflogConstants.NFULA_PREFIX, [.. Encoding.UTF8.GetBytes(prefix), 0]);
        writer.WriteBytes(NflogConstants.NFULA_PAYLOAD, packet);
        writer.EndMessage();
        Take(MessageKind.Nflog, writer.Written.ToArray());
    }

    public void Flush() => Tracing.Flush(long.MaxValue);

    /// <summary>All flows, a moment later: packets of which nothing tells their flow wait for it.</summary>
    public List<Flow> Flows()
    {
        Tracing.Flush(Now.AddMilliseconds(150).UtcTicks);
        return CollectorProbe.FlowsOf(Collector);
    }

    /// <summary>The only flow that there is.</summary>
    public Flow Flow() => Assert.Single(Flows());

    public static string[] Steps(Flow flow) =>
        [.. flow.Trace.Select(step => $"{step.Table} {step.Chain} {step.Type} {step.Position} {step.Verdict} x{step.Packets}")];

    public void Dispose() => Collector.Dispose();

    [GeneratedRegex(@"^table (\w+) (\w+)")]
    private static partial Regex TableLine();

    [GeneratedRegex(@"^\s+chain (\w+) \{")]
    private static partial Regex ChainLine();
}
