using System.Globalization;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>
/// The rules of our own table that make the kernel trace packets, as nft commands. The first chain of a packet is right after defragmentation, so
/// that it sees ports, and before every table of iptables and every usual chain of nftables; a packet marked there is reported from there on. Sets
/// decide, and the kernel fills and empties them: a flow needs no message and no process. The chains after NAT have no rules: they report the
/// packet's new header. The last chains report that nothing can drop it any longer.
/// </summary>
internal static class TraceRules
{
    /// <summary>How long a flow may be idle before it counts as not traced yet.</summary>
    private static readonly TimeSpan s_memory = TimeSpan.FromMinutes(10);

    // Right after NF_IP_PRI_CONNTRACK_DEFRAG (-400), right after NF_IP_PRI_NAT_DST (-100), and last before conntrack confirms.
    private const int FirstPriority = -399;
    private const int AfterNatPriority = -99;
    private const int LastPriority = int.MaxValue - 1;

    // Both tuples of as many flows as users can select (TraceRequestBook.Maximum).
    private const int ChosenCapacity = 2 * 4096;

    /// <summary>
    /// With <see cref="TraceMode.Flows"/>, how many packets of a flow and direction are traced: the first hundred, which decide its verdict, then
    /// twenty a second. Otherwise a bulk transfer would cost ten messages per packet.
    /// </summary>
    private const string FlowLimit = "limit rate 20/second burst 100 packets;";

    private const string Input = "input";
    private const string Postrouting = "postrouting";
    private const string AfterNat = "nat_";
    private const string Selected = "selected";
    private const string IntoLoopback = "oifname \"lo\" accept";

    /// <summary>The counter of packets whose flows found no room in the sets.</summary>
    public const string Untraced = "untraced";

    /// <summary>Whether a chain of our table is one that sees a packet first.</summary>
    public static bool IsFirst(ReadOnlySpan<byte> chain) =>
        !IsLast(chain) && !chain.StartsWith("nat_"u8);

    /// <summary>Whether a chain of our table is one that sees a packet last.</summary>
    public static bool IsLast(ReadOnlySpan<byte> chain) => chain.SequenceEqual("input"u8) || chain.SequenceEqual("postrouting"u8);

    /// <summary>
    /// Whether a packet at the end of this chain of our table has met all rules. On its way into a loopback device it has not: there a rule ends the
    /// chain, not the policy.
    /// </summary>
    public static bool IsLast(ReadOnlySpan<byte> chain, TraceStepType type) =>
        type == TraceStepType.Policy && IsLast(chain);

    /// <summary>The commands that start tracing, for an existing table that has none of these objects.</summary>
    /// <param name="table">The table's name, in family inet.</param>
    /// <param name="mode">Which packets are traced.</param>
    /// <param name="duration">How long each flow is traced.</param>
    /// <param name="capacity">How many tuples with ports a set holds; sets of other protocols hold a sixth of it.</param>
    /// <param name="limitsFlows">Whether packets of a flow are traced at a limited rate, with <see cref="TraceMode.Flows"/>.</param>
    public static string Begin(string table, TraceMode mode, TimeSpan duration, int capacity, bool limitsFlows = true)
    {
        List<string> lines =
        [
            $"chain TABLE {AfterNat}prerouting {{ type filter hook prerouting priority {AfterNatPriority}; }}",
            $"chain TABLE {AfterNat}output {{ type filter hook output priority {AfterNatPriority}; }}",
            $"chain TABLE {Input} {{ type filter hook input priority {LastPriority}; }}",
            $"chain TABLE {Postrouting} {{ type filter hook postrouting priority {LastPriority}; }}",
            $"rule TABLE {Postrouting} {IntoLoopback}",
        ];
        lines.Add($"counter TABLE {Untraced}");
        lines.AddRange(mode == TraceMode.Everything ? [] : TraceTuple.All.SelectMany(tuple => Sets(tuple, duration, capacity, mode == TraceMode.Flows && limitsFlows)));
        lines.Add($"chain TABLE {Selected}");
        lines.AddRange(mode == TraceMode.Everything ? [] : TraceTuple.All.SelectMany(tuple => Begin(tuple, mode)));
        foreach (string hook in (string[])["prerouting", "output"])
        {
            lines.Add($"chain TABLE {hook} {{ type filter hook {hook} priority {FirstPriority}; }}");
            lines.AddRange(mode == TraceMode.Everything
                ? [$"rule TABLE {hook} meta nftrace set 1 accept"]
                : TraceTuple.All.Select(tuple => $"rule TABLE {hook} meta nfproto {tuple.Nfproto} {tuple.Condition} goto {tuple.Set("begin")}"));
        }

        return Commands(table, lines.Select(line => $"add {line}"));
    }

    /// <summary>The commands that replace the traced queries by the given ones.</summary>
    /// <param name="table">The table's name, in family inet.</param>
    /// <param name="queries">The queries, each with the time for which it is traced.</param>
    public static string Select(string table, IReadOnlyList<(FlowQuery Query, TimeSpan Duration)> queries) => Commands(
        table,
        [
            $"flush chain TABLE {Selected}",
            $"flush chain TABLE {Input}",
            $"flush chain TABLE {Postrouting}",
            .. queries.SelectMany(each => TraceSelector.Rules(each.Query)).Select(match => $"add rule TABLE {Selected} {match} meta nftrace set 1 accept"),
            .. from query in queries
               from hook in (string[])[Input, Postrouting]
               from match in TraceSelector.ReplyRules(query.Query, Milliseconds(query.Duration))
               select $"add rule TABLE {hook} {match}",
            $"add rule TABLE {Postrouting} {IntoLoopback}",
        ]);

    /// <summary>The commands that trace packets with a flow's tuples for a time.</summary>
    /// <param name="table">The table's name, in family inet.</param>
    /// <param name="flow">The flow.</param>
    /// <param name="duration">How long.</param>
    public static string Choose(string table, Flow flow, TimeSpan duration) => Commands(
        table,
        TraceSelector.Elements(flow).Select(each => $"add element TABLE {each.Tuple.Set("chosen")} {{ {each.Key} timeout {Milliseconds(duration)} }}"));

    /// <summary>The commands that end it early.</summary>
    public static string Unchoose(string table, Flow flow) => Commands(
        table,
        TraceSelector.Elements(flow).Select(each => $"delete element TABLE {each.Tuple.Set("chosen")} {{ {each.Key} }}"));

    private static IEnumerable<string> Sets(TraceTuple tuple, TimeSpan duration, int capacity, bool limitsFlows)
    {
        int size = tuple.HasPorts ? capacity : Math.Max(Math.Min(capacity, 1024), capacity / 6);
        string limit = limitsFlows ? $" {FlowLimit}" : "";
        return
        [
            $"set TABLE {tuple.Set("chosen")} {{ {tuple.KeyType}; flags timeout; size {ChosenCapacity}; }}",
            $"set TABLE {tuple.Set("traced")} {{ {tuple.KeyType}; flags dynamic,timeout; timeout {Milliseconds(duration)}; size {size};{limit} }}",
            $"set TABLE {tuple.Set("seen")} {{ {tuple.KeyType}; flags dynamic,timeout; timeout {Milliseconds(s_memory + duration)}; size {size}; }}",
        ];
    }

    private static IEnumerable<string> Begin(TraceTuple tuple, TraceMode mode)
    {
        string chain = tuple.Set("begin");
        List<string> rules = [$"{tuple.Key} @{tuple.Set("chosen")} meta nftrace set 1 accept", $"{tuple.Key} @{tuple.Set("traced")} meta nftrace set 1 accept", $"jump {Selected}"];
        if (mode == TraceMode.Flows)
        {
            // A flow is remembered with each of its packets; one that was idle for long is traced again. When the set is full, flows are still
            // traced, and perhaps more than once.
            rules.Add($"{tuple.Key} @{tuple.Set("seen")} update @{tuple.Set("seen")} {{ {tuple.Key} }} accept");
            rules.Add($"add @{tuple.Set("seen")} {{ {tuple.Key} }}");
            rules.Add($"add @{tuple.Set("traced")} {{ {tuple.Key} }} meta nftrace set 1 accept");
            rules.Add($"counter name {Untraced}");
        }

        return [$"chain TABLE {chain}", .. rules.Select(rule => $"rule TABLE {chain} {rule}")];
    }

    private static string Commands(string table, IEnumerable<string> lines) =>
        string.Concat(lines.Select(line => $"{line.Replace("TABLE", $"inet {table}", StringComparison.Ordinal)}\n"));

    private static string Milliseconds(TimeSpan time) => string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, (long)time.TotalMilliseconds)}ms");
}
