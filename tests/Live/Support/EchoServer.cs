using System.Net;
using System.Net.Sockets;

namespace Conntracker.Tests.Live.Support;

/// <summary>Answers what it is sent, in a namespace: TCP, UDP, UDP-Lite, SCTP's handshake, and any protocol without ports.</summary>
internal sealed class EchoServer : IDisposable
{
    private readonly Socket _socket;
    private readonly FlowProtocol _protocol;
    private readonly Thread _thread;

    private EchoServer(FlowProtocol protocol, Socket socket)
    {
        _protocol = protocol;
        _socket = socket;
        _socket.ReceiveTimeout = 0;
        _thread = new Thread(Serve) { IsBackground = true };
        _thread.Start();
    }

    /// <summary>Starts one; ICMP needs none, the kernel answers.</summary>
    public static EchoServer? Start(TestNamespace where, FlowProtocol protocol, IPAddress address, int port)
    {
        if (protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6)
        {
            return null;
        }

        return where.Do(() =>
        {
            Socket socket = Sockets.Open(protocol, new IPEndPoint(address, port));
            if (Sockets.AreStreams(protocol))
            {
                socket.Listen(512);
            }

            return new EchoServer(protocol, socket);
        });
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _thread.Join(TimeSpan.FromSeconds(5));
    }

    private void Serve()
    {
        try
        {
            if (Sockets.AreStreams(_protocol))
            {
                while (true)
                {
                    _ = EchoAsync(_socket.Accept());
                }
            }

            Answer();
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private static async Task EchoAsync(Socket connection)
    {
        using (connection)
        {
            byte[] buffer = new byte[4096];
            try
            {
                int received;
                while ((received = await connection.ReceiveAsync(buffer)) > 0)
                {
                    await connection.SendAsync(buffer.AsMemory(0, received));
                }
            }
            catch (SocketException)
            {
                // The client is gone, or its network.
            }
        }
    }

    private void Answer()
    {
        byte[] buffer = new byte[65536];
        while (true)
        {
            EndPoint from = new IPEndPoint(_socket.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Any : IPAddress.IPv6Any, 0);
            int received = _socket.ReceiveFrom(buffer, ref from);
            ReadOnlySpan<byte> payload = Sockets.PayloadOf(_socket, buffer.AsSpan(0, received));
            byte[]? answer = _protocol == FlowProtocol.Sctp ? SctpHandshake.Answer(payload) : payload.ToArray();
            if (answer is not null)
            {
                _socket.SendTo(answer, Sockets.AreDatagrams(_protocol) ? from : new IPEndPoint(((IPEndPoint)from).Address, 0));
            }
        }
    }
}
