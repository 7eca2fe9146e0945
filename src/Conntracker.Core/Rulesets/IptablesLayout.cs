using Conntracker.Core.Native;
using static Conntracker.Core.Native.IptablesConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Rulesets;

/// <summary>The differences of the two families in how the kernel returns legacy rules: options, sizes and offsets in bytes.</summary>
/// <param name="Domain">The socket's address family.</param>
/// <param name="Level">The option's level.</param>
/// <param name="GetInfo">The option that returns a table's size.</param>
/// <param name="GetEntries">The option that returns its entries.</param>
/// <param name="InfoLength">The size of the answer to GetInfo.</param>
/// <param name="InfoSize">The offset of the entries' size in that answer.</param>
/// <param name="HeaderLength">The length of what precedes the entries in the answer to GetEntries.</param>
/// <param name="HeadSize">The offset of the entries' size in the request for entries.</param>
/// <param name="EntryLength">The length of an entry's header.</param>
/// <param name="EntryNext">The offset of an entry's own size (16 bits).</param>
/// <param name="EntryCounters">The offset of an entry's counters.</param>
internal sealed unsafe record IptablesLayout(
    int Domain, int Level, int GetInfo, int GetEntries, int InfoLength, int InfoSize,
    int HeaderLength, int HeadSize, int EntryLength, int EntryNext, int EntryCounters)
{
    /// <summary>The layout of iptables.</summary>
    public static IptablesLayout IPv4 { get; } = MakeIPv4();

    /// <summary>The layout of ip6tables.</summary>
    public static IptablesLayout IPv6 { get; } = MakeIPv6();

    /// <summary>The size of an entry's counters.</summary>
    public static int CountersLength => sizeof(xt_counters);

    private static IptablesLayout MakeIPv4()
    {
        ipt_getinfo info = default;
        ipt_get_entries header = default;
        ipt_entry entry = default;
        return new IptablesLayout(
            AF_INET,
            SOL_IP,
            IPT_SO_GET_INFO,
            IPT_SO_GET_ENTRIES,
            sizeof(ipt_getinfo),
            Offset(&info, &info.size),
            sizeof(ipt_get_entries),
            Offset(&header, &header.size),
            sizeof(ipt_entry),
            Offset(&entry, &entry.next_offset),
            Offset(&entry, &entry.counters));
    }

    private static IptablesLayout MakeIPv6()
    {
        ip6t_getinfo info = default;
        ip6t_get_entries header = default;
        ip6t_entry entry = default;
        return new IptablesLayout(
            AF_INET6,
            IPPROTO_IPV6,
            IP6T_SO_GET_INFO,
            IP6T_SO_GET_ENTRIES,
            sizeof(ip6t_getinfo),
            Offset(&info, &info.size),
            sizeof(ip6t_get_entries),
            Offset(&header, &header.size),
            sizeof(ip6t_entry),
            Offset(&entry, &entry.next_offset),
            Offset(&entry, &entry.counters));
    }

    private static int Offset(void* start, void* field) => (int)((byte*)field - (byte*)start);
}
