using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>struct xt_counters (linux/netfilter/x_tables.h): the counters of a rule.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct xt_counters
{
    public ulong pcnt;
    public ulong bcnt;
}

/// <summary>struct ipt_getinfo (linux/netfilter_ipv4/ip_tables.h): the answer to IPT_SO_GET_INFO.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ipt_getinfo
{
    public fixed byte name[32];
    public uint valid_hooks;
    public fixed uint hook_entry[5];
    public fixed uint underflow[5];
    public uint num_entries;
    public uint size;
}

/// <summary>struct ip6t_getinfo (linux/netfilter_ipv6/ip6_tables.h): the answer to IP6T_SO_GET_INFO.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ip6t_getinfo
{
    public fixed byte name[32];
    public uint valid_hooks;
    public fixed uint hook_entry[5];
    public fixed uint underflow[5];
    public uint num_entries;
    public uint size;
}

/// <summary>struct ipt_get_entries (linux/netfilter_ipv4/ip_tables.h): the header of the answer to IPT_SO_GET_ENTRIES; the entries follow.</summary>
[StructLayout(LayoutKind.Sequential, Size = 40)]
internal unsafe struct ipt_get_entries
{
    public fixed byte name[32];
    public uint size;
}

/// <summary>struct ip6t_get_entries (linux/netfilter_ipv6/ip6_tables.h): the header of the answer to IP6T_SO_GET_ENTRIES; the entries follow.</summary>
[StructLayout(LayoutKind.Sequential, Size = 40)]
internal unsafe struct ip6t_get_entries
{
    public fixed byte name[32];
    public uint size;
}

/// <summary>struct ipt_ip (linux/netfilter_ipv4/ip_tables.h): what every rule can match.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ipt_ip
{
    public uint src;
    public uint dst;
    public uint smsk;
    public uint dmsk;
    public fixed byte iniface[16];
    public fixed byte outiface[16];
    public fixed byte iniface_mask[16];
    public fixed byte outiface_mask[16];
    public ushort proto;
    public byte flags;
    public byte invflags;
}

/// <summary>struct ip6t_ip6 (linux/netfilter_ipv6/ip6_tables.h): what every rule can match.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct ip6t_ip6
{
    public fixed uint src[4];
    public fixed uint dst[4];
    public fixed uint smsk[4];
    public fixed uint dmsk[4];
    public fixed byte iniface[16];
    public fixed byte outiface[16];
    public fixed byte iniface_mask[16];
    public fixed byte outiface_mask[16];
    public ushort proto;
    public byte tos;
    public byte flags;
    public byte invflags;
}

/// <summary>struct ipt_entry (linux/netfilter_ipv4/ip_tables.h): the header of a rule; its matches and its target follow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ipt_entry
{
    public ipt_ip ip;
    public uint nfcache;
    public ushort target_offset;
    public ushort next_offset;
    public uint comefrom;
    public xt_counters counters;
}

/// <summary>struct ip6t_entry (linux/netfilter_ipv6/ip6_tables.h): the header of a rule; its matches and its target follow.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ip6t_entry
{
    public ip6t_ip6 ipv6;
    public uint nfcache;
    public ushort target_offset;
    public ushort next_offset;
    public uint comefrom;
    public xt_counters counters;
}
