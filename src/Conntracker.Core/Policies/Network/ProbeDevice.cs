using System.Buffers.Binary;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.Network;

/// <summary>A network device that stands for an interface of the host: packets sent into it come in by that interface.</summary>
internal sealed unsafe class ProbeDevice : IDisposable
{
    /// <summary>The longest packet that can be sent.</summary>
    public const int MaximumPacket = 2048;

    private const int EthernetHeader = 14;
    private const int LinkAddressLength = 6;

    private readonly SafeFileDescriptor? _queue;
    private readonly PacketOutlet? _outlet;
    private readonly byte[] _linkAddress;
    private readonly List<ProbeDevice> _ports = [];

    /// <summary>A device whose frames are written to a descriptor of /dev/net/tun.</summary>
    internal ProbeDevice(string name, int index, string? kind, SafeFileDescriptor queue, byte[]? linkAddress)
        : this(name, index, kind, linkAddress) => _queue = queue;

    /// <summary>A device whose frames are sent through the other end of a pair.</summary>
    internal ProbeDevice(string name, int index, string? kind, PacketOutlet outlet, byte[] linkAddress)
        : this(name, index, kind, linkAddress) => _outlet = outlet;

    /// <summary>A bridge, whose frames come in through a port of it.</summary>
    internal ProbeDevice(string name, int index, string? kind, byte[]? linkAddress)
    {
        Name = name;
        Index = index;
        Kind = kind;
        _linkAddress = linkAddress ?? [];
    }

    /// <summary>The interface's name.</summary>
    public string Name { get; }

    /// <summary>The interface's number (ifi_index) in the namespace: that of the host unless a notice says otherwise.</summary>
    public int Index { get; }

    /// <summary>The kind that the kernel reports for the device here (iifkind): <c>tun</c>, <c>bridge</c>, <c>veth</c>.</summary>
    public string? Kind { get; }

    /// <summary>Whether the interface is up: packets of one that is down are dropped before every hook.</summary>
    public bool IsUp { get; internal set; }

    /// <summary>Whether frames have an Ethernet header; without one a packet cannot carry a mark.</summary>
    public bool HasLinkHeader => _linkAddress.Length != 0;

    /// <summary>Whether packets can be sent in by this device; false for a bridge without ports that are up.</summary>
    public bool CanSend => _queue is not null || _outlet is not null || _ports.Exists(each => each.IsUp);

    /// <summary>Sends a packet in by this interface. When the device is a tap, the kernel has handled it on return.</summary>
    /// <param name="ipPacket">The packet from its IP header on, at most <see cref="MaximumPacket"/> bytes.</param>
    /// <param name="destination">To whom the frame is addressed.</param>
    /// <param name="mark">
    /// The mark, in the last four bytes of the frame's source address behind 02:4a, lowest byte first:
    /// <c>ether saddr &amp; ff:ff:00:00:00:00 == 02:4a:00:00:00:00 meta mark set @ll,64,32</c> puts it into the packet's mark.
    /// </param>
    /// <returns>0 or the error number: EIO (down), EMSGSIZE (too long or empty), ENODEV (a bridge without ports).</returns>
    public int Send(ReadOnlySpan<byte> ipPacket, LinkDestination destination = LinkDestination.ByAddress, uint mark = 0)
    {
        if (ipPacket.Length is < 20 or > MaximumPacket)
        {
            return EMSGSIZE;
        }

        if (!HasLinkHeader)
        {
            return Write(ipPacket);
        }

        Span<byte> frame = stackalloc byte[EthernetHeader + MaximumPacket];
        WriteDestination(frame, ipPacket, destination);
        frame[6] = 0x02;
        frame[7] = 0x4a;
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], mark);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], (ushort)(ipPacket[0] >> 4 == 4 ? 0x0800 : 0x86dd));
        ipPacket.CopyTo(frame[EthernetHeader..]);
        ProbeDevice? through = _queue is null && _outlet is null ? _ports.Find(each => each.IsUp) : this;
        return through?.Write(frame[..(EthernetHeader + ipPacket.Length)]) ?? ENODEV;
    }

    /// <summary>Reads and drops what the kernel has sent out by this device, so that its queue never fills.</summary>
    public void Drain()
    {
        foreach (ProbeDevice port in _ports)
        {
            port.Drain();
        }

        if (_queue is null)
        {
            return;
        }

        byte* nothing = stackalloc byte[1];
        while (SafeLibC.read(_queue, nothing, 1) > 0)
        {
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _queue?.Dispose();

    /// <summary>The device's link-layer address; empty without a link-layer header.</summary>
    internal byte[] LinkAddress => _linkAddress;

    /// <summary>Adds a port to a bridge.</summary>
    internal void AddPort(ProbeDevice port) => _ports.Add(port);

    private void WriteDestination(Span<byte> frame, ReadOnlySpan<byte> packet, LinkDestination destination)
    {
        Span<byte> address = frame[..LinkAddressLength];
        _linkAddress.CopyTo(address);
        bool isIPv4 = packet[0] >> 4 == 4;
        ReadOnlySpan<byte> to = isIPv4 ? packet[16..20] : packet.Length >= 40 ? packet[24..40] : default;
        if (destination == LinkDestination.Broadcast || (destination == LinkDestination.ByAddress && isIPv4 && to.IndexOfAnyExcept((byte)0xff) < 0))
        {
            address.Fill(0xff);
        }
        else if (destination == LinkDestination.ByAddress && isIPv4 && to[0] >> 4 == 0xe)
        {
            // RFC 1112: the lowest 23 bits of the group.
            address[0] = 0x01;
            address[1] = 0x00;
            address[2] = 0x5e;
            to[1..].CopyTo(address[3..]);
            address[3] &= 0x7f;
        }
        else if (destination == LinkDestination.ByAddress && !to.IsEmpty && to[0] == 0xff)
        {
            // RFC 2464: the lowest 32 bits of the group.
            address[0] = 0x33;
            address[1] = 0x33;
            to[12..].CopyTo(address[2..]);
        }
    }

    private int Write(ReadOnlySpan<byte> frame)
    {
        if (_outlet is not null)
        {
            return _outlet.Send(frame, Index);
        }

        if (_queue is null)
        {
            return ENODEV;
        }

        fixed (byte* bytes = frame)
        {
            return SafeLibC.write(_queue, bytes, frame.Length) < 0 ? Errno.Last : 0;
        }
    }
}
