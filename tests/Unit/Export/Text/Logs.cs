using System.Net;
using System.Text;
using Conntracker.Core.Export.Common;
using Conntracker.Core.Export.Text;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

/// <summary>Writing and reading in memory, and flows of every kind.</summary>
internal static class Logs
{
    public static byte[] Write(IEnumerable<Flow> flows, LogFormat format, LogStyle style = LogStyle.V3)
    {
        using MemoryStream stream = new();
        using IFlowWriter writer = FlowWriter.Create(stream, format, style);
        foreach (Flow flow in flows)
        {
            writer.Write(flow);
        }

        writer.Complete();
        return stream.ToArray();
    }

    public static string WriteText(LogStyle style, params Flow[] flows) => Encoding.UTF8.GetString(Write(flows, LogFormat.Text, style));

    public static List<Flow> Read(byte[] file, LogFormat? format = null) =>
        [.. FlowReader.Read(new MemoryStream(file), format, error => Assert.Fail(error.Message))];

    public static (List<Flow> Flows, List<LogFormatException> Errors) ReadWithErrors(string file, LogFormat? format = null)
    {
        List<LogFormatException> errors = [];
        using DribblingStream stream = new(Encoding.UTF8.GetBytes(file));
        return ([.. FlowReader.Read(stream, format, errors.Add)], errors);
    }

    public static List<TextLogLine> ReadLines(byte[] file, Action<LogFormatException>? onError = null)
    {
        using InputBuffer input = new(new MemoryStream(file));
        return [.. TextLogReader.ReadLines(input, onError ?? (error => Assert.Fail(error.Message)))];
    }

    public static byte[] WriteLines(IEnumerable<TextLogLine> lines, LogStyle style)
    {
        using MemoryStream stream = new();
        using TextLogWriter writer = new(stream, style);
        foreach (TextLogLine line in lines)
        {
            writer.Write(line);
        }

        writer.Flush();
        return stream.ToArray();
    }

    public static Flow Tcp(string src, ushort? srcPort, string dst, ushort dstPort, bool confirmed = false, bool reply = false,
        FlowProcess? process = null, params TraceStep[] trace) => new()
        {
            Protocol = FlowProtocol.Tcp,
            Family = IPAddress.Parse(src).GetAddressBytes().Length == 4 ? FlowFamily.IPv4 : FlowFamily.IPv6,
            SrcAddress = IPAddress.Parse(src),
            SrcPort = srcPort,
            DstAddress = IPAddress.Parse(dst),
            DstPort = dstPort,
            Confirmed = confirmed,
            ReplySrcAddress = reply ? IPAddress.Parse(dst) : null,
            ReplySrcPort = reply ? dstPort : null,
            ReplyDstAddress = reply ? IPAddress.Parse(src) : null,
            ReplyDstPort = reply ? srcPort : null,
            Process = process,
            Trace = trace,
        };

    public static TraceStep Step(string table, string chain, TraceStepType type, int? position, string? family = null) => new()
    {
        Family = family,
        Table = table,
        Chain = chain,
        Type = type,
        Position = position,
        Engine = family is null ? TraceEngine.Iptables : TraceEngine.Nftables,
    };

    /// <summary>Flows of few addresses and ports, so that many share tuples, mirror each other, or differ in one thing only.</summary>
    public static List<Flow> Random(int seed, int count)
    {
        Random random = new(seed);
        FlowProtocol[] protocols =
        [
            FlowProtocol.Tcp, FlowProtocol.Udp, FlowProtocol.Icmp, FlowProtocol.IcmpV6, FlowProtocol.Sctp, FlowProtocol.Dccp,
            FlowProtocol.UdpLite, FlowProtocol.Gre, FlowProtocol.Esp, FlowProtocol.None, (FlowProtocol)99, (FlowProtocol)255,
        ];
        List<Flow> flows = [];
        for (int i = 0; i < count; i++)
        {
            flows.Add(RandomFlow(random, protocols[random.Next(protocols.Length)]));
        }

        return flows;
    }

    private static Flow RandomFlow(Random random, FlowProtocol protocol)
    {
        FlowFamily family = random.Next(2) == 0 ? FlowFamily.IPv4 : FlowFamily.IPv6;
        LogLineKind label = new(protocol, family);
        IPAddress src = Address(random, family);
        IPAddress dst = Address(random, family);
        bool nat = random.Next(4) == 0;
        bool known = random.Next(3) > 0;
        bool folded = random.Next(6) == 0;
        ushort srcPort = (ushort)(random.Next(2) == 0 ? random.Next(1, 4) : 40000 + random.Next(3));
        ushort dstPort = (ushort)random.Next(1, 4);
        return new Flow
        {
            Protocol = protocol,
            Family = family,
            SrcAddress = src,
            DstAddress = dst,
            SrcPort = label.HasPorts && !folded ? srcPort : null,
            DstPort = label.HasPorts ? dstPort : null,
            IcmpType = label.IsIcmp ? (byte)new[] { 0, 8, 13, 14, 3, 128, 129, 139 }[random.Next(8)] : null,
            IcmpCode = label.IsIcmp ? (byte)random.Next(2) : null,
            ReplySrcAddress = known ? nat ? Address(random, family) : dst : null,
            ReplySrcPort = known && label.HasPorts ? dstPort : null,
            ReplyDstAddress = known ? src : null,
            ReplyDstPort = known && label.HasPorts && !folded ? srcPort : null,
            IsNat = nat,
            Confirmed = random.Next(2) == 0,
            Process = random.Next(3) == 0 ? Process(random) : null,
            Trace = random.Next(3) == 0 ? Trace(random) : [],
        };
    }

    private static IPAddress Address(Random random, FlowFamily family)
    {
        string[] addresses = family == FlowFamily.IPv4
            ? ["10.0.0.1", "10.0.0.10", "10.0.0.9", "0.0.0.0", "255.255.255.255", "192.168.100.203"]
            : ["::", "::1", "fe80::1", "2001:db8::1:0:0:1", "1:0:0:2::3", "::ffff:10.0.0.1", "64:ff9b::a00:1", "1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:0"];
        return IPAddress.Parse(addresses[random.Next(addresses.Length)]);
    }

    private static FlowProcess Process(Random random) => new()
    {
        Id = random.Next(1, 3),
        Name = new[] { "ssh", "", "a,b (c)", "évil\r\n TCPv4 [", "-", "\u202Etxt\uD800", "x,pid:1,uid:0", "two words" }[random.Next(8)],
        UserId = random.Next(2) == 0 ? 1000 : null,
        UserName = new[] { null, "root", "", "007", "1000", "-" }[random.Next(6)],
    };

    private static TraceStep[] Trace(Random random)
    {
        TraceStep[] steps = new TraceStep[random.Next(1, 5)];
        for (int i = 0; i < steps.Length; i++)
        {
            steps[i] = Step(
                new[] { "raw", "mangle", "nat", "filter", "security", "firewall", "my table" }[random.Next(7)],
                new[] { "INPUT", "FORWARD", "a, type: rule", "ü" }[random.Next(4)],
                (TraceStepType)random.Next(3),
                random.Next(3) == 0 ? null : random.Next(1, 12),
                new[] { null, null, "inet", "ip" }[random.Next(4)]);
        }

        return steps;
    }
}
