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

    private const string Trace = "meta nftrace set 1 accept";
    private const string IntoLoopback = "oifname \"lo\" accept";

    /// <summary>The counter of packets whose flows found no room in the sets.</summary>
    public const string Untraced = "untraced";

    /// <summary>The commands that start tracing, for an existing table that has none of these objects.</summary>
    /// <param name="table">The table's name, in family inet.</param>
    /// <param name="mode">Which packets are traced.</param>
    /// <param name="duration">How long each flow is traced.</param>
    /// <param name="capacity">How many tuples with ports a set holds; sets of other protocols hold a sixth of it.</param>
    /// <param name="limitsFlows">Whether packets of a flow are traced at a limited rate, with <see cref="TraceMode.Flows"/>.</param>
    public static string Begin(string table, TraceMode mode, TimeSpan duration, int capacity, bool limitsFlows = true)
    {
        NftScript script = new NftScript(table)
            .AddChain(OwnChains.AfterNat("prerouting"), "prerouting", AfterNatPriority)
            .AddChain(OwnChains.AfterNat("output"), "output", AfterNatPriority)
            .AddChain(OwnChains.Input, "input", LastPriority)
            .AddChain(OwnChains.Postrouting, "postrouting", LastPriority)
            .AddRule(OwnChains.Postrouting, IntoLoopback)
            .AddCounter(Untraced);
        IReadOnlyList<TraceTuple> tuples = mode == TraceMode.Everything ? [] : TraceTuple.All;
        foreach (TraceTuple tuple in tuples)
        {
            AddSets(script, tuple, duration, capacity, mode == TraceMode.Flows && limitsFlows);
        }

        script.AddChain(OwnChains.Selected);
        foreach (TraceTuple tuple in tuples)
        {
            AddBegin(script, tuple, mode);
        }

        AddFirst(script, OwnChains.Prerouting, "prerouting", tuples);
        AddFirst(script, OwnChains.Output, "output", tuples);
        return script.ToString();
    }

    /// <summary>The commands that replace the traced queries by the given ones.</summary>
    /// <param name="table">The table's name, in family inet.</param>
    /// <param name="queries">The queries, each with the time for which it is traced.</param>
    public static string Select(string table, IReadOnlyList<(FlowQuery Query, TimeSpan Duration)> queries)
    {
        NftScript script = new NftScript(table)
            .FlushChain(OwnChains.Selected)
            .FlushChain(OwnChains.Input)
            .FlushChain(OwnChains.Postrouting);
        foreach (string match in queries.SelectMany(each => TraceSelector.Rules(each.Query)))
        {
            script.AddRule(OwnChains.Selected, $"{match} {Trace}");
        }

        foreach ((FlowQuery query, TimeSpan duration) in queries)
        {
            IReadOnlyList<string> rules = TraceSelector.ReplyRules(query, NftScript.Milliseconds(duration));
            foreach (string chain in (string[])[OwnChains.Input, OwnChains.Postrouting])
            {
                foreach (string rule in rules)
                {
                    script.AddRule(chain, rule);
                }
            }
        }

        return script.AddRule(OwnChains.Postrouting, IntoLoopback).ToString();
    }

    /// <summary>The commands that trace packets with a flow's tuples for a time.</summary>
    /// <param name="table">The table's name, in family inet.</param>
    /// <param name="flow">The flow.</param>
    /// <param name="duration">How long.</param>
    public static string Choose(string table, Flow flow, TimeSpan duration)
    {
        NftScript script = new(table);
        foreach ((TraceTuple tuple, string key) in TraceSelector.Elements(flow))
        {
            script.AddElement(tuple.Set("chosen"), key, duration);
        }

        return script.ToString();
    }

    /// <summary>The commands that end it early.</summary>
    public static string Unchoose(string table, Flow flow)
    {
        NftScript script = new(table);
        foreach ((TraceTuple tuple, string key) in TraceSelector.Elements(flow))
        {
            script.DeleteElement(tuple.Set("chosen"), key);
        }

        return script.ToString();
    }

    private static void AddSets(NftScript script, TraceTuple tuple, TimeSpan duration, int capacity, bool limitsFlows)
    {
        int size = tuple.HasPorts ? capacity : Math.Max(Math.Min(capacity, 1024), capacity / 6);
        string limit = limitsFlows ? $" {FlowLimit}" : "";
        script
            .AddSet(tuple.Set("chosen"), tuple.KeyType, $"flags timeout; size {ChosenCapacity};")
            .AddSet(tuple.Set("traced"), tuple.KeyType, $"flags dynamic,timeout; timeout {NftScript.Milliseconds(duration)}; size {size};{limit}")
            .AddSet(tuple.Set("seen"), tuple.KeyType, $"flags dynamic,timeout; timeout {NftScript.Milliseconds(s_memory + duration)}; size {size};");
    }

    private static void AddBegin(NftScript script, TraceTuple tuple, TraceMode mode)
    {
        string chain = tuple.Set("begin");
        string seen = tuple.Set("seen");
        string traced = tuple.Set("traced");
        script
            .AddChain(chain)
            .AddRule(chain, $"{tuple.Key} @{tuple.Set("chosen")} {Trace}")
            .AddRule(chain, $"{tuple.Key} @{traced} {Trace}")
            .AddRule(chain, $"jump {OwnChains.Selected}");
        if (mode == TraceMode.Flows)
        {
            // A flow is remembered with each of its packets; one that was idle for long is traced again. When the set is full, flows are still
            // traced, and perhaps more than once.
            script
                .AddRule(chain, $"{tuple.Key} @{seen} update @{seen} {{ {tuple.Key} }} accept")
                .AddRule(chain, $"add @{seen} {{ {tuple.Key} }}")
                .AddRule(chain, $"add @{traced} {{ {tuple.Key} }} {Trace}")
                .AddRule(chain, $"counter name {Untraced}");
        }
    }

    private static void AddFirst(NftScript script, string chain, string hook, IReadOnlyList<TraceTuple> tuples)
    {
        script.AddChain(chain, hook, FirstPriority);
        foreach (TraceTuple tuple in tuples)
        {
            script.AddRule(chain, $"meta nfproto {tuple.Nfproto} {tuple.Condition} goto {tuple.Set("begin")}");
        }

        if (tuples.Count == 0)
        {
            script.AddRule(chain, Trace);
        }
    }
}
