using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Conntracker.Tests.Module.Support;

/// <summary>Traffic over the loopback of a network namespace.</summary>
internal static class Traffic
{
    /// <summary>Sends a UDP packet from each of several ports; nobody answers.</summary>
    public static void SendUdp(TestNamespace where, int firstPort, int count, int port = 9) => where.Do(() =>
    {
        // Without somebody who takes them in, the kernel answers with ICMP errors.
        using Socket sink = Udp(port);
        for (int i = 0; i < count; i++)
        {
            using Socket socket = Udp(firstPort + i);
            socket.SendTo("x"u8, At(port));
        }
    });

    /// <summary>One TCP connection: 1000 bytes there, 10 back, then the client closes it.</summary>
    public static void SendTcp(TestNamespace where, int port) => where.Do(() =>
    {
        using Socket listener = Tcp(port);
        listener.Listen();
        using Socket client = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        client.Connect(At(port));
        using Socket server = listener.Accept();
        byte[] buffer = new byte[1000];
        client.Send(buffer);
        for (int received = 0; received < buffer.Length;)
        {
            received += server.Receive(buffer);
        }

        server.Send(buffer.AsSpan(0, 10));
        for (int received = 0; received < 10;)
        {
            received += client.Receive(buffer);
        }

        client.Shutdown(SocketShutdown.Send);
        server.Receive(buffer);
    });

    /// <summary>Sends the first packet of a TCP connection, whether it is answered or not.</summary>
    public static void SendSyn(TestNamespace where, int port) => where.Do(() =>
    {
        using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { Blocking = false };
        try
        {
            socket.Connect(At(port));
        }
        catch (SocketException error) when (error.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress or SocketError.ConnectionRefused)
        {
            // It is on its way, or was rejected.
        }
    });

    /// <summary>Pings the namespace itself.</summary>
    public static void Ping(TestNamespace where, int count = 1) => where.Run("ping", "-q", "-i", "0.2", "-c", $"{count}", "127.0.0.1");

    /// <summary>
    /// Rules: port 22 is dropped, 23 and 24 are rejected, the rest is accepted. 22 is dropped where it leaves: connection tracking has confirmed what
    /// comes in.
    /// </summary>
    public static void LoadRules(TestNamespace where) => where.LoadRules("""
        table inet guard {
          chain services {
            tcp dport 22 drop comment "no ssh"
            tcp dport 24 reject with tcp reset
          }
          chain input {
            type filter hook input priority filter; policy accept;
            tcp dport 23 reject with tcp reset
          }
          chain output {
            type filter hook output priority filter; policy accept;
            tcp dport 8080 accept
            jump services
          }
        }
        """);

    /// <summary>The user's rules: the ruleset without our own tables.</summary>
    public static string RulesOf(TestNamespace where)
    {
        StringBuilder rules = new();
        bool isOwn = false;
        foreach (string line in where.Run("nft", "list", "ruleset").Split('\n'))
        {
            isOwn = isOwn ? line != "}" : line.StartsWith("table inet conntracker", StringComparison.Ordinal);
            if (!isOwn)
            {
                rules.AppendLine(line);
            }
        }

        return rules.ToString().Trim('\n', '}', ' ');
    }

    /// <summary>The names of our own tables.</summary>
    public static string[] OwnTables(TestNamespace where) =>
        [.. where.Run("nft", "list", "tables").Split('\n').Where(line => line.Contains("conntracker", StringComparison.Ordinal))];

    private static Socket Udp(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(At(port));
        return socket;
    }

    private static Socket Tcp(int port)
    {
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, optionValue: true);
        socket.Bind(At(port));
        return socket;
    }

    private static IPEndPoint At(int port) => new(IPAddress.Loopback, port);
}
