namespace Conntracker.Core.Model;

/// <summary>How full the kernel's table of connections is, in the calling thread's network namespace, and the losses so far.</summary>
/// <param name="Entries">Connections in the table (net.netfilter.nf_conntrack_count).</param>
/// <param name="Limit">How many the kernel allows (net.netfilter.nf_conntrack_max); 0 for no limit.</param>
/// <param name="Drops">Packets that connection tracking has dropped since the namespace was created: the table was full, or a helper refused them.</param>
/// <param name="EarlyDrops">Connections that the kernel has removed early, to make room.</param>
internal readonly record struct TrackingReading(long Entries, long Limit, long Drops, long EarlyDrops)
{
    /// <summary>Whether the table is nearly full: it may be only seconds until packets of new connections are dropped.</summary>
    public bool IsNearlyFull => Limit > 0 && Entries >= NearlyFull;

    /// <summary>The number of entries that make it nearly full: nine tenths of the limit.</summary>
    public long NearlyFull => Limit - (Limit / 10);
}
