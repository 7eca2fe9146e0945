using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;

namespace Conntracker.Core.Netlink;

/// <summary>
/// Walks the netlink messages of one datagram, forward only. Never throws, whatever the datagram holds: a wrong length
/// ends the walk and sets <see cref="IsMalformed"/>.
/// </summary>
internal ref struct NetlinkMessageReader
{
    private ReadOnlySpan<byte> _rest;

    public NetlinkMessageReader(ReadOnlySpan<byte> datagram) => _rest = datagram;

    /// <summary>True once a length was wrong.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>The next message; false at the end, or if the next one is malformed.</summary>
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

        // The length of a netfilter event need not be a multiple of four, and the last one's padding may be missing.
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
