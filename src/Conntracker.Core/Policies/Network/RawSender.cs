using System.Buffers.Binary;
using System.Text;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.Network;

/// <summary>
/// Sends packets as the host itself, from any address: through raw sockets that take whole packets. A packet passes the hooks output and postrouting
/// before <see cref="Send"/> returns. It sends in the network namespace of the thread that calls it. One thread at a time may use it.
/// </summary>
internal sealed unsafe class RawSender : IDisposable
{
    private const int MaximumSockets = 256;

    private readonly Dictionary<(bool IsIPv6, uint? User, uint Mark, string? Device), SafeFileDescriptor> _sockets = [];

    /// <summary>Sends a packet.</summary>
    /// <param name="ipPacket">
    /// The packet from its IP header on. The kernel fills in the checksum of the IPv4 header, and its own address where the source is 0.0.0.0.
    /// </param>
    /// <param name="uid">The user that rules see (skuid, owner); null for the caller's.</param>
    /// <param name="mark">The packet's mark (SO_MARK).</param>
    /// <param name="device">The outgoing interface that is forced; null to leave it to the routes, which a rule may then change.</param>
    /// <returns>
    /// 0 or the error number: EPERM when a hook dropped the packet, ENETUNREACH and others when there is no route, EOVERFLOW when the user namespace has
    /// no such user, EMSGSIZE for no packet.
    /// </returns>
    public int Send(ReadOnlySpan<byte> ipPacket, uint? uid, uint mark, string? device)
    {
        bool isIPv6 = ipPacket.Length >= 40 && ipPacket[0] >> 4 == 6;
        if (!isIPv6 && (ipPacket.Length < 20 || ipPacket[0] >> 4 != 4))
        {
            return EMSGSIZE;
        }

        if (!_sockets.TryGetValue((isIPv6, uid, mark, device), out SafeFileDescriptor? sender))
        {
            int errno = Open(isIPv6, uid, mark, device, out sender);
            if (errno != 0)
            {
                return errno;
            }

            MakeRoom();
            _sockets.Add((isIPv6, uid, mark, device), sender!);
        }

        // struct sockaddr_in: family, port, address. struct sockaddr_in6: family, port, flow, address, scope.
        Span<byte> address = stackalloc byte[28];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, (ushort)(isIPv6 ? AF_INET6 : AF_INET));
        (isIPv6 ? ipPacket[24..40] : ipPacket[16..20]).CopyTo(address[(isIPv6 ? 8 : 4)..]);
        fixed (byte* packet = ipPacket, to = address)
        {
            return SafeLibC.sendto(sender!, packet, ipPacket.Length, MSG_DONTWAIT, to, isIPv6 ? 28u : 16u) < 0 ? Errno.Last : 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Clear();

    private static int Open(bool isIPv6, uint? uid, uint mark, string? device, out SafeFileDescriptor? sender)
    {
        sender = null;
        int errno = OpenAs(uid, isIPv6 ? AF_INET6 : AF_INET, out int number);
        if (errno != 0)
        {
            return errno;
        }

        SafeFileDescriptor opened = new(number);
        errno = Prepare(opened, isIPv6, mark, device);
        if (errno != 0)
        {
            opened.Dispose();
            return errno;
        }

        sender = opened;
        return 0;
    }

    // A socket's user is the file system user of the thread that opens it. setfsuid(2) reports no error: it returns the number before it.
    private static int OpenAs(uint? uid, int family, out int number)
    {
        number = -1;
        if (uid is not uint user)
        {
            number = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
            return number < 0 ? Errno.Last : 0;
        }

        uint before = (uint)SafeLibC.setfsuid(user);
        try
        {
            if ((uint)SafeLibC.setfsuid(uint.MaxValue) != user)
            {
                return EOVERFLOW;
            }

            number = socket(family, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
            return number < 0 ? Errno.Last : 0;
        }
        finally
        {
            _ = SafeLibC.setfsuid(before);
        }
    }

    private static int Prepare(SafeFileDescriptor sender, bool isIPv6, uint mark, string? device)
    {
        int on = 1;
        if (SafeLibC.setsockopt(sender, isIPv6 ? IPPROTO_IPV6 : IPPROTO_IP, isIPv6 ? IPV6_HDRINCL : IP_HDRINCL, &on, sizeof(int)) < 0
            || SafeLibC.setsockopt(sender, SOL_SOCKET, SO_BROADCAST, &on, sizeof(int)) < 0
            || (mark != 0 && SafeLibC.setsockopt(sender, SOL_SOCKET, SO_MARK, &mark, sizeof(uint)) < 0))
        {
            return Errno.Last;
        }

        if (device is null)
        {
            return 0;
        }

        byte[] name = Encoding.UTF8.GetBytes(device);
        fixed (byte* bytes = name)
        {
            return SafeLibC.setsockopt(sender, SOL_SOCKET, SO_BINDTODEVICE, bytes, (uint)name.Length) < 0 ? Errno.Last : 0;
        }
    }

    private void MakeRoom()
    {
        if (_sockets.Count == MaximumSockets)
        {
            Clear();
        }
    }

    private void Clear()
    {
        foreach (SafeFileDescriptor each in _sockets.Values)
        {
            each.Dispose();
        }

        _sockets.Clear();
    }
}
