using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;

namespace Conntracker.Core.Netlink;

/// <summary>
/// Walks the netlink messages of one datagram, forward only. Never throws for what the datagram holds: a message whose length
/// does not fit ends the walk and sets <see cref="IsMalformed"/>.
/// </summary>
internal ref struct NetlinkMessageReader
{
    private ReadOnlySpan<byte> _rest;

    /// <summary>Reads from a datagram.</summary>
    public NetlinkMessageReader(ReadOnlySpan<byte> datagram) => _rest = datagram;

    /// <summary>True once a length did not fit.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>The next message; false at the end, or when the next one is malformed.</summary>
    public bool TryRead(out NetlinkMessage message)
    {
        message = default;
        if (_rest.IsEmpty)
        {
            return false;
        }

        if (_rest.Length < Unsafe.SizeOf<nlmsghdr>())
        {
            return Fail();
        }

        nlmsghdr header = MemoryMarshal.Read<nlmsghdr>(_rest);
        if (header.nlmsg_len < Unsafe.SizeOf<nlmsghdr>() || header.nlmsg_len > (uint)_rest.Length)
        {
            return Fail();
        }

        int length = (int)header.nlmsg_len;
        message = new NetlinkMessage(header.nlmsg_type, header.nlmsg_flags, header.nlmsg_seq, _rest[Unsafe.SizeOf<nlmsghdr>()..length]);

        // Netfilter events may have lengths that are no multiple of four; the padding of the last one need not be there.
        _rest = _rest[Math.Min(NetlinkAlignment.Align(length), _rest.Length)..];
        return true;
    }

    private bool Fail()
    {
        IsMalformed = true;
        _rest = default;
        return false;
    }
}
