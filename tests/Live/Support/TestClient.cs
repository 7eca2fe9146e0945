using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>Speaks to a server from a namespace, in any protocol.</summary>
internal static class TestClient
{
    private const byte EchoRequest4 = 8;
    private const byte EchoRequest6 = 128;

    /// <summary>
    /// Sends something and waits for the answer; a TCP connection is closed again.
    /// </summary>
    /// <param name="from">Where the client is.</param>
    /// <param name="protocol">The protocol.</param>
    /// <param name="source">The client's address and port; for ICMP the port is the query's id.</param>
    /// <param name="target">The server's address and port.</param>
    /// <param name="size">How many bytes, at least.</param>
    public static void Exchange(TestNamespace from, FlowProtocol protocol, IPEndPoint source, IPEndPoint target, int size = 32) => from.Do(() =>
    {
        using Socket socket = Sockets.Open(protocol, source);
        if (Sockets.AreStreams(protocol) || Sockets.AreDatagrams(protocol))
        {
            socket.Connect(target);
            Echo(socket, size);
        }
        else if (protocol == FlowProtocol.Sctp)
        {
            SctpHandshake.Shake(socket, source, target);
        }
        else
        {
            bool isIcmp = protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6;
            byte[] packet = isIcmp ? IcmpEcho(protocol, (ushort)source.Port, size) : new byte[size];
            socket.SendTo(packet, new IPEndPoint(target.Address, 0));
            byte awaited = protocol == FlowProtocol.Icmp ? (byte)0 : protocol == FlowProtocol.IcmpV6 ? (byte)(EchoRequest6 + 1) : packet[0];
            while (Receive(socket)[0] != awaited)
            {
            }
        }
    });

    /// <summary>Sends one packet, whether it is answered or not: of TCP the one that opens a connection.</summary>
    public static void Send(TestNamespace from, FlowProtocol protocol, IPEndPoint source, IPEndPoint target, int size = 32) => from.Do(() =>
    {
        using Socket socket = Sockets.Open(protocol, source);
        if (Sockets.AreStreams(protocol))
        {
            socket.Blocking = false;
            try
            {
                socket.Connect(target);
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress)
            {
                // The first packet is on its way. Closed before the kernel repeats it.
            }

            return;
        }

        byte[] packet = protocol switch
        {
            FlowProtocol.Icmp or FlowProtocol.IcmpV6 => IcmpEcho(protocol, (ushort)source.Port, size),
            FlowProtocol.Sctp => SctpHandshake.Open(source, target),
            _ => new byte[size],
        };
        try
        {
            socket.SendTo(packet, Sockets.AreDatagrams(protocol) ? target : new IPEndPoint(target.Address, 0));
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AccessDenied)
        {
            // EPERM: a rule of this host has dropped it.
        }
    });

    /// <summary>Opens a TCP connection, or a UDP socket, and has one answer; it stays open.</summary>
    public static Socket Open(TestNamespace from, FlowProtocol protocol, IPEndPoint source, IPEndPoint target) => from.Do(() =>
    {
        Socket socket = Sockets.Open(protocol, source);
        socket.Connect(target);
        Echo(socket, 1);
        return socket;
    });

    /// <summary>Sends so many bytes on a connection and waits until all have come back.</summary>
    public static void Echo(Socket socket, int size)
    {
        byte[] buffer = new byte[size];
        socket.Send(buffer);
        for (int received = 0; received < size;)
        {
            int more = socket.Receive(buffer);
            Assert.NotEqual(0, more);
            received += more;
        }
    }

    /// <summary>Receives a datagram, behind its IP header.</summary>
    public static byte[] Receive(Socket socket)
    {
        byte[] buffer = new byte[65536];
        int received = socket.Receive(buffer);
        return Sockets.PayloadOf(socket, buffer.AsSpan(0, received)).ToArray();
    }

    private static byte[] IcmpEcho(FlowProtocol protocol, ushort id, int size)
    {
        byte[] packet = new byte[Math.Max(8, size)];
        packet[0] = protocol == FlowProtocol.Icmp ? EchoRequest4 : EchoRequest6;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(4), id);
        if (protocol == FlowProtocol.Icmp)
        {
            // The kernel sums ICMPv6 itself. All but the header is zero.
            uint sum = (uint)(packet[0] << 8) + id;
            BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(2), (ushort)~((sum & 0xffff) + (sum >> 16)));
        }

        return packet;
    }
}
