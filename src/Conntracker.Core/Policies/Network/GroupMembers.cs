using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.Network;

/// <summary>Multicast groups that the host has joined: packets to other groups never reach the input hook. The kernel leaves them with the sockets.</summary>
internal sealed unsafe class GroupMembers : IDisposable
{
    // A socket takes only so many groups: then another one is opened.
    private const int MaximumSockets = 256;

    private readonly HashSet<(IPAddress, int)> _joined = [];
    private readonly List<SafeFileDescriptor> _sockets = [];
    private readonly Dictionary<AddressFamily, SafeFileDescriptor> _current = [];

    /// <summary>Joins a group on a device.</summary>
    /// <returns>0 or the error number; 0 as well when it is joined already.</returns>
    public int Join(IPAddress group, int index)
    {
        if (!_joined.Add((group, index)))
        {
            return 0;
        }

        int errno = TryJoin(group, index);
        if (errno == ENOBUFS || errno == ENOMEM)
        {
            _current.Remove(group.AddressFamily);
            errno = TryJoin(group, index);
        }

        return errno == EADDRINUSE ? 0 : errno;
    }

    /// <inheritdoc/>
    public void Dispose() => _sockets.ForEach(each => each.Dispose());

    private int TryJoin(IPAddress group, int index)
    {
        bool isIPv4 = group.AddressFamily == AddressFamily.InterNetwork;
        if (!_current.TryGetValue(group.AddressFamily, out SafeFileDescriptor? member))
        {
            int number = _sockets.Count == MaximumSockets ? -1 : socket(isIPv4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
            if (number < 0)
            {
                return _sockets.Count == MaximumSockets ? ENOBUFS : Errno.Last;
            }

            member = new SafeFileDescriptor(number);
            _sockets.Add(member);
            _current.Add(group.AddressFamily, member);
        }

        // struct ip_mreqn: group, own address (any), index. struct ipv6_mreq: group, index.
        Span<byte> request = stackalloc byte[20];
        request.Clear();
        group.TryWriteBytes(request, out int length);
        int size = isIPv4 ? 12 : length + sizeof(int);
        BinaryPrimitives.WriteInt32LittleEndian(request[(size - sizeof(int))..], index);
        fixed (byte* bytes = request)
        {
            return SafeLibC.setsockopt(member, isIPv4 ? IPPROTO_IP : IPPROTO_IPV6, isIPv4 ? IP_ADD_MEMBERSHIP : IPV6_JOIN_GROUP, bytes, (uint)size) < 0
                ? Errno.Last
                : 0;
        }
    }
}
