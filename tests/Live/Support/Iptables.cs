using System.Text.RegularExpressions;
using Conntracker.Core.KernelSettings;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>iptables-legacy in a test's namespace, and what a trace of it changes there.</summary>
internal static partial class Iptables
{
    // All namespaces share the tools' lock.
    private const string Patience = "20";

    /// <summary>Loads tables as <c>iptables-legacy-restore</c> reads them: each table is what is given, and only that.</summary>
    public static void Load(TestNamespace where, FlowFamily family, string tables)
    {
        using Tool restore = where.Start($"{Name(family)}-restore", "-w", Patience).Feed(tables + "\n");
        ToolResult result = restore.Wait();
        Assert.True(result.ExitCode == 0, result.Error);
    }

    /// <summary>A network with these tables, and a capture that traces it.</summary>
    public static TracedNetwork Trace(FlowFamily family, string tables, TraceMode mode = TraceMode.Flows, params IReadOnlyList<FlowProtocol> protocols) =>
        new(firewall => Load(firewall, family, tables), mode, duration: null, protocols);

    /// <summary>Runs iptables-legacy, or ip6tables-legacy, with arguments that hold no blanks.</summary>
    public static void Run(TestNamespace where, FlowFamily family, string arguments) =>
        where.Run(Name(family), ["-w", Patience, .. arguments.Split(' ')]);

    /// <summary>The legacy tables of both families as the tools save them, without the counters and the time.</summary>
    public static string Save(TestNamespace where) => Counters().Replace(
        string.Join('\n', ((FlowFamily[])[FlowFamily.IPv4, FlowFamily.IPv6])
            .Select(family => where.Run($"{Name(family)}-save")).SelectMany(text => text.Split('\n')).Where(line => !line.StartsWith('#'))),
        "");

    /// <summary>Where the namespace logs packets that are traced: <c>nf_log_ipv4 nf_log_ipv6</c>.</summary>
    public static string Loggers(TestNamespace where) =>
        string.Join(' ', PacketLoggerLease.Purpose.Settings.Keys.Select(setting => where.ReadSetting($"netfilter/{setting}")));

    /// <summary>The name of ICMP in rules.</summary>
    public static string IcmpName(FlowFamily family) => family == FlowFamily.IPv4 ? "icmp" : "ipv6-icmp";

    /// <summary>The name of an ICMP error in rules that reject.</summary>
    public static string Prohibited(FlowFamily family) => family == FlowFamily.IPv4 ? "icmp-admin-prohibited" : "icmp6-adm-prohibited";

    private static string Name(FlowFamily family) => family == FlowFamily.IPv4 ? "iptables-legacy" : "ip6tables-legacy";

    [GeneratedRegex(@" \[\d+:\d+\]$", RegexOptions.Multiline)]
    private static partial Regex Counters();
}
