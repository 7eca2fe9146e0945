using System.Net;
using System.Reflection;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

/// <summary>Flows with every property set or none, and a comparison that forgets no property.</summary>
internal static class StructuredFlows
{
    public const string HostileName = "a,b \"c\"\r\nd\te;é漢😀 [{,null}] '=1+1 \\ \u0001\u2028";

    public static Flow Full(string name = "ssh") => new()
    {
        Protocol = (FlowProtocol)143,
        Family = FlowFamily.IPv6,
        SrcAddress = IPAddress.Parse("fe80::1%3"),
        SrcPort = 65535,
        DstAddress = IPAddress.Parse("ff02::fb%12"),
        DstPort = 1,
        IcmpType = 128,
        IcmpCode = 255,
        IcmpId = 7,
        ReplySrcAddress = IPAddress.Parse("2001:db8::2"),
        ReplySrcPort = 2,
        ReplyDstAddress = IPAddress.Parse("::ffff:10.0.0.1"),
        ReplyDstPort = 3,
        IsNat = true,
        State = FlowState.Closed,
        TcpState = TcpState.TimeWait,
        SctpState = SctpState.HeartbeatSent,
        DccpState = DccpState.PartOpen,
        Confirmed = true,
        FirstSeen = new DateTimeOffset(2026, 2, 28, 23, 59, 59, 999, TimeSpan.FromMinutes(-210)).AddTicks(1234),
        LastSeen = new DateTimeOffset(2026, 3, 1, 0, 0, 0, TimeSpan.Zero),
        Connections = long.MaxValue,
        Packets = ulong.MaxValue,
        Bytes = 0,
        ReplyPackets = 5,
        ReplyBytes = 6,
        Mark = uint.MaxValue,
        Zone = ushort.MaxValue,
        ConntrackId = uint.MaxValue,
        Offloaded = true,
        Direction = FlowDirection.Forward,
        Folding = FlowFolding.ClientPort,
        Process = new FlowProcess
        {
            Id = int.MaxValue,
            Name = name,
            CommandLine = name + " --flag",
            Path = "/usr/bin/" + name,
            UserId = 1000,
            UserName = name,
            RealUserId = uint.MaxValue - 1,
            RealUserName = name + "-real",
            Cgroup = "/system.slice/" + name,
            Unit = name + ".service",
            Container = "abc",
            Source = ProcessSource.Bpf,
        },
        ReplyProcess = new FlowProcess { Id = 1, Name = name, Source = ProcessSource.Diag },
        Trace =
        [
            new TraceStep
            {
                Family = "inet",
                Table = name,
                Chain = "forward",
                Hook = "forward",
                Type = TraceStepType.Return,
                Position = 3,
                Handle = ulong.MaxValue,
                Verdict = "jump services",
                Rule = name,
                Comment = "",
                Packets = long.MaxValue,
                Engine = TraceEngine.Nftables,
            },
            new TraceStep { Table = "filter", Chain = "INPUT", Type = TraceStepType.Policy, Engine = TraceEngine.Iptables },
        ],
        Verdict = FlowVerdict.Rejected,
        VerdictRule = name,
        TraceIncomplete = true,
        InInterface = name,
        OutInterface = "eth" + name,
        PacketMark = uint.MaxValue,
    };

    public static Flow Bare() => new()
    {
        Protocol = FlowProtocol.Tcp,
        Family = FlowFamily.IPv4,
        SrcAddress = IPAddress.Parse("10.0.0.1"),
        DstAddress = IPAddress.Parse("10.0.0.2"),
        VerdictRule = "",
    };

    public static void AssertSame(object? expected, object? actual, string at = "Flow")
    {
        if (expected is null || actual is null || expected.GetType() == typeof(string) || expected.GetType().IsValueType || expected is IPAddress)
        {
            Assert.True(Equals(expected, actual), $"{at}: expected <{expected}>, found <{actual}>");
        }
        else if (expected is IReadOnlyList<TraceStep> steps)
        {
            IReadOnlyList<TraceStep> others = Assert.IsType<IReadOnlyList<TraceStep>>(actual, exactMatch: false);
            Assert.Equal(steps.Count, others.Count);
            for (int i = 0; i < steps.Count; i++)
            {
                AssertSame(steps[i], others[i], $"{at}[{i}]");
            }
        }
        else
        {
            foreach (PropertyInfo property in expected.GetType().GetProperties())
            {
                AssertSame(property.GetValue(expected), property.GetValue(actual), $"{at}.{property.Name}");
            }
        }
    }
}
