using System.Runtime.CompilerServices;
using Conntracker.Core.Native;
using Tmds.Linux;
using static Conntracker.Core.Native.SocketConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Netlink;

/// <summary>
/// A netlink socket. It belongs to the network namespace of the thread that opened it.
/// </summary>
internal sealed unsafe class NetlinkSocket : IDisposable
{
    private readonly SafeFileDescriptor _descriptor;
    private readonly string _name;

    private readonly int _protocol;
    private long _dropsSeen;

    private NetlinkSocket(SafeFileDescriptor descriptor, int protocol, string name)
    {
        _descriptor = descriptor;
        _protocol = protocol;
        _name = name;
    }

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => _descriptor.Number;

    /// <summary>The descriptor, for recvmmsg(2).</summary>
    public SafeFileDescriptor Descriptor => _descriptor;

    /// <summary>The port id that the kernel assigned (nl_pid); /proc/net/netlink lists the socket under it.</summary>
    public uint PortId { get; private set; }

    /// <summary>Opens a socket.</summary>
    /// <param name="protocol">NETLINK_*.</param>
    /// <param name="name">What the socket is for, in messages.</param>
    /// <exception cref="ConntrackException">The kernel does not support the protocol, or refused.</exception>
    public static NetlinkSocket Open(int protocol, string name)
    {
        int number = LibC.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
        if (number < 0)
        {
            throw Fail("open", name, Errno.Last);
        }

        NetlinkSocket socket = new(new SafeFileDescriptor(number), protocol, name);
        try
        {
            sockaddr_nl address = new() { nl_family = (ushort)AF_NETLINK };
            uint length = (uint)sizeof(sockaddr_nl);
            socket.Check("bind", SafeLibC.bind(socket._descriptor, &address, length));
            socket.Check("name", SafeLibC.getsockname(socket._descriptor, &address, &length));
            socket.PortId = address.nl_pid;
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Joins a multicast group.</summary>
    public void Join(int group) =>
        Check($"join group {group} with", SafeLibC.setsockopt(_descriptor, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(int)));

    /// <summary>Leaves a multicast group: queued messages stay, and none are added.</summary>
    public void Leave(int group) =>
        Check($"leave group {group} with", SafeLibC.setsockopt(_descriptor, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, &group, sizeof(int)));

    /// <summary>Requests a receive buffer, beyond net.core.rmem_max if the kernel permits it.</summary>
    /// <returns>The resulting size in bytes, as socket(7) counts it: half of what the kernel reserves.</returns>
    public int SetReceiveBuffer(int bytes)
    {
        if (SafeLibC.setsockopt(_descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(int)) < 0)
        {
            Check("set the buffer size of", SafeLibC.setsockopt(_descriptor, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(int)));
        }

        int reserved;
        uint length = sizeof(int);
        Check("read the buffer size of", SafeLibC.getsockopt(_descriptor, SOL_SOCKET, SO_RCVBUF, &reserved, &length));
        return reserved / 2;
    }

    /// <summary>
    /// Has the kernel apply the filters in the header of a dump request (NETLINK_GET_STRICT_CHK).
    /// </summary>
    /// <returns>False before Linux 4.20, which dumps everything and ignores the filters.</returns>
    public bool TryUseStrictRequests()
    {
        int on = 1;
        return SafeLibC.setsockopt(_descriptor, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &on, sizeof(int)) >= 0;
    }

    /// <summary>Has the kernel add a text to its errors where it has one (NETLINK_EXT_ACK); kernels without it add none.</summary>
    public void UseErrorTexts()
    {
        int on = 1;
        _ = SafeLibC.setsockopt(_descriptor, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(int));
    }

    /// <summary>Attaches a filter: the kernel drops what does not pass before it is queued.</summary>
    /// <returns>False if the kernel does not accept it.</returns>
    public bool TryFilter(ReadOnlySpan<sock_filter> instructions)
    {
        fixed (sock_filter* first = instructions)
        {
            sock_fprog program = new() { len = (ushort)instructions.Length, filter = first };
            return SafeLibC.setsockopt(_descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, (uint)sizeof(sock_fprog)) >= 0;
        }
    }

    /// <summary>The kernel's cookie of the socket's network namespace, unique until the next boot. 0 before Linux 5.14.</summary>
    public ulong NamespaceCookie()
    {
        ulong cookie = 0;
        uint length = sizeof(ulong);
        return SafeLibC.getsockopt(_descriptor, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &length) < 0 ? 0 : cookie;
    }

    /// <summary>Sends a request.</summary>
    public void Send(ReadOnlySpan<byte> request)
    {
        fixed (byte* bytes = request)
        {
            long sent;
            do
            {
                sent = SafeLibC.send(_descriptor, bytes, request.Length, 0);
            }
            while (sent < 0 && Errno.Last == EINTR);

            Check("send to", (int)sent);
        }
    }

    /// <summary>
    /// How many messages the kernel could not queue since the last call; null if the kernel does not report it. Call it on a thread of the socket's own
    /// network namespace.
    /// </summary>
    public long? TakeDrops()
    {
        if (NetlinkSocketDrops.Read(NetlinkSocketDrops.Path, _protocol, PortId) is not long drops)
        {
            return null;
        }

        long fresh = drops - _dropsSeen;
        _dropsSeen = drops;
        return fresh;
    }

    /// <inheritdoc/>
    public void Dispose() => _descriptor.Dispose();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Check(string what, int result)
    {
        if (result < 0)
        {
            throw Fail(what, _name, Errno.Last);
        }
    }

    private static ConntrackException Fail(string what, string name, int errno) => errno switch
    {
        _ when errno == EPERM || errno == EACCES => new ConntrackException(
            ConntrackErrorReason.PermissionDenied,
            $"Could not {what} the netlink socket for {name}: {Errno.Describe(errno)}. The capability CAP_NET_ADMIN is missing: run as root, or with sudo."),
        _ when errno == EPROTONOSUPPORT => new ConntrackException(
            ConntrackErrorReason.KernelFeatureMissing,
            $"Could not {what} the netlink socket for {name}: {Errno.Describe(errno)}. The kernel lacks CONFIG_NETFILTER_NETLINK (module nfnetlink)."),
        _ => new ConntrackException(
            ConntrackErrorReason.KernelRefused, $"Could not {what} the netlink socket for {name}: {Errno.Describe(errno)}."),
    };
}
