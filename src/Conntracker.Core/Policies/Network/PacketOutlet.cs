using System.Buffers.Binary;
using System.Runtime.ExceptionServices;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Microsoft.Win32.SafeHandles;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.Network;

/// <summary>
/// The far ends of veth pairs, in a network namespace that has nothing else. What is sent out of a far end comes in by the near end. It is needed where
/// /dev/net/tun may not be opened. The namespace goes with this object.
/// </summary>
internal sealed unsafe class PacketOutlet : IDisposable
{
    private readonly SafeFileHandle _namespace;
    private readonly SafeFileDescriptor _socket;
    private readonly NetlinkRequests _requests;

    private PacketOutlet(SafeFileHandle networkNamespace, SafeFileDescriptor socket, NetlinkRequests requests)
    {
        _namespace = networkNamespace;
        _socket = socket;
        _requests = requests;
    }

    /// <summary>The descriptor of the namespace, for IFLA_NET_NS_FD.</summary>
    public int NamespaceNumber => (int)_namespace.DangerousGetHandle();

    /// <summary>rtnetlink in the far namespace.</summary>
    public NetlinkRequests Requests => _requests;

    /// <summary>Makes the namespace, on a thread of its own.</summary>
    /// <exception cref="ConntrackException">The kernel refused.</exception>
    public static PacketOutlet Open()
    {
        PacketOutlet? outlet = null;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                outlet = OpenHere();
            }
#pragma warning disable CA1031 // The caller's thread throws it again.
            catch (Exception error)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        })
        {
            Name = "conntracker outlet",
        };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return outlet!;
    }

    /// <summary>Sends a frame out of a far end.</summary>
    /// <param name="frame">The frame with its Ethernet header.</param>
    /// <param name="index">The device's number, the same at both ends.</param>
    /// <returns>0 or the error number.</returns>
    public int Send(ReadOnlySpan<byte> frame, int index)
    {
        // struct sockaddr_ll: the protocol, the device; the rest is in the frame.
        Span<byte> address = stackalloc byte[20];
        address.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(address, (ushort)AF_PACKET);
        frame.Slice(12, 2).CopyTo(address[2..]);
        BinaryPrimitives.WriteInt32LittleEndian(address[4..], index);
        fixed (byte* bytes = frame, to = address)
        {
            return SafeLibC.sendto(_socket, bytes, frame.Length, 0, to, (uint)address.Length) < 0 ? Errno.Last : 0;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _requests.Dispose();
        _socket.Dispose();
        _namespace.Dispose();
    }

    private static PacketOutlet OpenHere()
    {
        if (unshare(CLONE_NEWNET) < 0)
        {
            throw new ConntrackException(
                ConntrackErrorReason.PermissionDenied,
                $"No network namespace for the far ends of the devices could be made: {Errno.Describe(Errno.Last)}. The capability CAP_SYS_ADMIN is missing.");
        }

        // Nothing must speak there by itself.
        _ = HostSettings.Write("net.ipv6.conf.default.disable_ipv6", "1");
        _ = HostSettings.Write("net.ipv6.conf.all.disable_ipv6", "1");
        SafeFileHandle networkNamespace = File.OpenHandle("/proc/thread-self/ns/net");

        // With protocol 0 the socket receives nothing.
        int number = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
        if (number < 0)
        {
            int errno = Errno.Last;
            networkNamespace.Dispose();
            throw new ConntrackException(
                ConntrackErrorReason.PermissionDenied, $"A packet socket could not be opened: {Errno.Describe(errno)}. The capability CAP_NET_RAW is missing.");
        }

        return new PacketOutlet(networkNamespace, new SafeFileDescriptor(number), NetlinkRequests.OpenRoute());
    }
}
