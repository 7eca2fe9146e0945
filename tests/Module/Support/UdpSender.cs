using System.Net;
using System.Net.Sockets;

namespace Conntracker.Tests.Module.Support;

/// <summary>A UDP socket of a namespace that sends from one port to another over the loopback, whenever it is asked to: one flow.</summary>
internal sealed class UdpSender : IDisposable
{
    private readonly Socket _sink;
    private readonly Socket _socket;

    /// <summary>Opens both ends.</summary>
    public UdpSender(TestNamespace where, int srcPort, int port)
    {
        (_sink, _socket) = where.Do(() => (Open(port), Open(srcPort)));
        _socket.Connect(new IPEndPoint(IPAddress.Loopback, port));
    }

    /// <summary>Sends packets, and waits until each has arrived.</summary>
    public void Send(int count = 1)
    {
        Span<byte> buffer = stackalloc byte[8];
        for (int i = 0; i < count; i++)
        {
            _socket.Send("x"u8);
            _sink.Receive(buffer);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _sink.Dispose();
    }

    private static Socket Open(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 5000 };
        socket.Bind(new IPEndPoint(IPAddress.Loopback, port));
        return socket;
    }
}
