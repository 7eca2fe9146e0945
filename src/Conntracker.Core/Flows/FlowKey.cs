using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Flows;

/// <summary>What identifies a flow: original tuple, zone, protocol and family. 40 bytes, no padding, all zero when empty.</summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct FlowKey
{
    // Seeded at random in each process: a sender of packets must not be able to choose tuples that share a bucket.
    private static readonly ulong s_seed = unchecked((ulong)Random.Shared.NextInt64() ^ ((ulong)Random.Shared.NextInt64() << 32)) | 1;

    /// <summary>Both ends, in the original direction.</summary>
    public FlowEndpoints Original;

    /// <summary>The conntrack zone.</summary>
    public ushort Zone;

    /// <summary>The protocol above IP.</summary>
    public FlowProtocol Protocol;

    /// <summary>The address family; <see cref="FlowFamily.None"/> marks a free slot of the table.</summary>
    public FlowFamily Family;

    /// <summary>Whether the protocol has port numbers in the user's sense.</summary>
    public static bool HasPorts(FlowProtocol protocol) =>
        protocol is FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.Sctp or FlowProtocol.Dccp or FlowProtocol.UdpLite;

    /// <summary>Whether the protocol is ICMP of either family.</summary>
    public static bool IsIcmp(FlowProtocol protocol) => protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6;

    /// <summary>Whether both keys are the same, compared as 40 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreEqual(ref readonly FlowKey a, ref readonly FlowKey b) =>
        a.Original.Src.Low == b.Original.Src.Low
        && a.Original.Dst.Low == b.Original.Dst.Low
        && Tail(in a) == Tail(in b)
        && a.Original.Src.High == b.Original.Src.High
        && a.Original.Dst.High == b.Original.Dst.High;

    /// <summary>The tuple of a packet that answers a packet of this one: ends exchanged, and an ICMP query's type swapped with its reply's.</summary>
    public static FlowKey Reverse(ref readonly FlowKey key)
    {
        FlowKey reverse = key;
        reverse.Original.Src = key.Original.Dst;
        reverse.Original.Dst = key.Original.Src;
        if (IsIcmp(key.Protocol))
        {
            reverse.Original.IcmpType = Icmp.Counterpart(key.Protocol, key.Original.IcmpType);
        }
        else
        {
            reverse.Original.SrcPort = key.Original.DstPort;
            reverse.Original.DstPort = key.Original.SrcPort;
        }

        return reverse;
    }

    /// <summary>The key's hash: multiply and fold, with the seed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Hash(ref readonly FlowKey key)
    {
        ulong hash = Mix(key.Original.Src.Low ^ s_seed, key.Original.Dst.Low ^ 0x9E3779B97F4A7C15);
        hash = Mix(hash ^ Tail(in key), s_seed ^ 0xD6E8FEB86659FD93);
        if (key.Family == FlowFamily.IPv6)
        {
            hash = Mix(hash ^ key.Original.Src.High, key.Original.Dst.High ^ s_seed);
        }

        return (uint)(hash ^ (hash >> 32));
    }

    // Ports, zone, protocol and family: the last eight bytes.
    private static ulong Tail(ref readonly FlowKey key) =>
        key.Original.SrcPort | ((ulong)key.Original.DstPort << 16) | ((ulong)key.Zone << 32)
        | ((ulong)key.Protocol << 48) | ((ulong)key.Family << 56);

    private static ulong Mix(ulong a, ulong b)
    {
        ulong high = Math.BigMul(a, b, out ulong low);
        return high ^ low;
    }
}
