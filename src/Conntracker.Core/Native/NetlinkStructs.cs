using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>struct sockaddr_nl (linux/netlink.h): the address of a netlink socket.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct sockaddr_nl
{
    public ushort nl_family;
    public ushort nl_pad;
    public uint nl_pid;
    public uint nl_groups;
}

/// <summary>struct nlmsghdr (linux/netlink.h): the header of every netlink message.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct nlmsghdr
{
    public uint nlmsg_len;
    public ushort nlmsg_type;
    public ushort nlmsg_flags;
    public uint nlmsg_seq;
    public uint nlmsg_pid;
}

/// <summary>struct nfgenmsg (linux/netfilter/nfnetlink.h): the header of every netfilter message. res_id is big-endian.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct nfgenmsg
{
    public byte nfgen_family;
    public byte version;
    public ushort res_id;
}

/// <summary>struct nfulnl_msg_packet_hdr (linux/netfilter/nfnetlink_log.h): the hook of a logged packet. hw_protocol is big-endian.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct nfulnl_msg_packet_hdr
{
    public ushort hw_protocol;
    public byte hook;
    public byte _pad;
}

/// <summary>struct nfulnl_msg_config_mode (linux/netfilter/nfnetlink_log.h): how much of a packet is copied. copy_range is big-endian.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 1)]
internal struct nfulnl_msg_config_mode
{
    public uint copy_range;
    public byte copy_mode;
    public byte _pad;
}

/// <summary>struct ifaddrmsg (linux/if_addr.h): the header of an address message.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ifaddrmsg
{
    public byte ifa_family;
    public byte ifa_prefixlen;
    public byte ifa_flags;
    public byte ifa_scope;
    public uint ifa_index;
}

/// <summary>struct rtmsg (linux/rtnetlink.h): the header of a route message.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct rtmsg
{
    public byte rtm_family;
    public byte rtm_dst_len;
    public byte rtm_src_len;
    public byte rtm_tos;
    public byte rtm_table;
    public byte rtm_protocol;
    public byte rtm_scope;
    public byte rtm_type;
    public uint rtm_flags;
}

/// <summary>struct fib_rule_hdr (linux/fib_rules.h): the header of a message about a routing rule.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct fib_rule_hdr
{
    public byte family;
    public byte dst_len;
    public byte src_len;
    public byte tos;
    public byte table;
    public byte res1;
    public byte res2;
    public byte action;
    public uint flags;
}

/// <summary>struct ifinfomsg (linux/rtnetlink.h): the header of a link message.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct ifinfomsg
{
    public byte ifi_family;
    public byte __ifi_pad;
    public ushort ifi_type;
    public int ifi_index;
    public uint ifi_flags;
    public uint ifi_change;
}

/// <summary>struct rtnexthop (linux/rtnetlink.h): one hop of a multipath route; attributes follow it.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct rtnexthop
{
    public ushort rtnh_len;
    public byte rtnh_flags;
    public byte rtnh_hops;
    public int rtnh_ifindex;
}
