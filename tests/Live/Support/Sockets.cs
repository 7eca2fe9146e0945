using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Native;
using Tmds.Linux;
using Xunit;
using static Tmds.Linux.LibC;

namespace Conntracker.Tests.Live.Support;

/// <summary>Sockets of any protocol, made in the network namespace of the calling thread.</summary>
internal static class Sockets
{
    private const int Patience = 5000;

    /// <summary>Whether the protocol's sockets are connected before anything is sent.</summary>
    public static bool AreStreams(FlowProtocol protocol) => protocol == FlowProtocol.Tcp;

    /// <summary>Whether what is sent needs no header of the sender's making: the kernel has sockets for this protocol.</summary>
    public static bool AreDatagrams(FlowProtocol protocol) => protocol is FlowProtocol.Udp or FlowProtocol.UdpLite;

    /// <summary>Opens a socket and binds it; raw for protocols that the kernel has no sockets for.</summary>
    public static Socket Open(FlowProtocol protocol, IPEndPoint at)
    {
        SocketType type = AreStreams(protocol) ? SocketType.Stream : AreDatagrams(protocol) ? SocketType.Dgram : SocketType.Raw;

        // Socket's own constructor turns away protocols that it does not know.
        int number = LibC.socket(FamilyOf(at.AddressFamily), (int)type | SOCK_CLOEXEC, (int)protocol);
        if (number < 0)
        {
            Assert.Skip($"This kernel has no sockets for {protocol}: {Errno.Describe(Errno.Last)}.");
        }

        Socket socket = new(new SafeSocketHandle(number, ownsHandle: true)) { ReceiveTimeout = Patience, SendTimeout = Patience };
        try
        {
            socket.Bind(type == SocketType.Raw ? new IPEndPoint(at.Address, 0) : at);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>What a raw socket received, behind the IP header: only IPv4 gives that.</summary>
    public static ReadOnlySpan<byte> PayloadOf(Socket socket, ReadOnlySpan<byte> received) =>
        socket.SocketType == SocketType.Raw && socket.AddressFamily == AddressFamily.InterNetwork
            ? received[((received[0] & 0xf) * 4)..]
            : received;

    private static int FamilyOf(AddressFamily family) =>
        family == AddressFamily.InterNetwork ? (int)AF_INET : (int)AF_INET6;
}
