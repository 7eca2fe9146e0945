using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Netlink;

/// <summary>One netlink message: the fields of its header (struct nlmsghdr) and what follows the header.</summary>
internal readonly ref struct NetlinkMessage
{
    public NetlinkMessage(ushort type, ushort flags, uint sequence, ReadOnlySpan<byte> payload)
    {
        Type = type;
        Flags = flags;
        Sequence = sequence;
        Payload = payload;
    }

    /// <summary>nlmsg_type: for netfilter, the subsystem in the high byte and the message in the low one.</summary>
    public ushort Type { get; }

    /// <summary>nlmsg_flags (NLM_F_*).</summary>
    public ushort Flags { get; }

    /// <summary>nlmsg_seq: the number of the request that it answers; 0 for an event.</summary>
    public uint Sequence { get; }

    /// <summary>What follows the header, without padding.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Reads the header of the subsystem (struct nfgenmsg, ifaddrmsg, rtmsg), which attributes follow.</summary>
    /// <param name="header">The header.</param>
    /// <param name="attributes">A reader of the attributes.</param>
    /// <returns>False when the message is too short.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryReadHeader<THeader>(out THeader header, out NetlinkAttributeReader attributes)
        where THeader : unmanaged
    {
        if (!MemoryMarshal.TryRead(Payload, out header))
        {
            attributes = default;
            return false;
        }

        attributes = new NetlinkAttributeReader(Payload[Unsafe.SizeOf<THeader>()..]);
        return true;
    }
}
