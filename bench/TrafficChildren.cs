using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Conntracker.Bench;

/// <summary>The traffic of the trace bench: a server and clients that make real connections, and a sender of datagrams.</summary>
internal static class TrafficChildren
{
    private const int FirstPort = 8000;
    private const int Ports = 16;
    private const int Threads = 2;

    /// <summary>Accepts and closes, until standard input ends.</summary>
    public static void Serve()
    {
        for (int i = 0; i < Ports; i++)
        {
            Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Any, FirstPort + i));
            listener.Listen(4096);
            new Thread(() => Accept(listener)) { IsBackground = true }.Start();
        }

        Console.WriteLine("ready");
        while (Console.In.Read() >= 0)
        {
        }
    }

    /// <summary>Makes connections, one after another on each thread, not more than a rate.</summary>
    /// <param name="server">Where to.</param>
    /// <param name="rate">Connections a second; 0 for as many as can be.</param>
    /// <param name="seconds">For how long.</param>
    public static ChildResult Connect(string server, double rate, double seconds)
    {
        long started = Stopwatch.GetTimestamp();
        long made = 0;
        Thread[] threads = new Thread[Threads];
        for (int i = 0; i < Threads; i++)
        {
            threads[i] = new Thread(() =>
            {
                while (Stopwatch.GetElapsedTime(started).TotalSeconds < seconds)
                {
                    long number = Interlocked.Increment(ref made);
                    while (rate > 0 && number > rate * Stopwatch.GetElapsedTime(started).TotalSeconds)
                    {
                        Thread.Sleep(1);
                    }

                    using Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { LingerState = new LingerOption(true, 0) };
                    socket.Connect(IPAddress.Parse(server), FirstPort + (int)(number % Ports));
                }
            });
            threads[i].Start();
        }

        Array.ForEach(threads, each => each.Join());
        return new ChildResult { Flows = made, Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds };
    }

    /// <summary>Sends datagrams of a number of flows in turn, at a rate.</summary>
    public static ChildResult Flood(string server, double rate, double seconds, int flows)
    {
        Socket[] sockets = new Socket[flows];
        for (int i = 0; i < flows; i++)
        {
            sockets[i] = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
            sockets[i].Connect(IPAddress.Parse(server), FirstPort);
        }

        byte[] data = new byte[32];
        long started = Stopwatch.GetTimestamp();
        long sent = 0;
        for (double now = 0; now < seconds; now = Stopwatch.GetElapsedTime(started).TotalSeconds)
        {
            while (sent < rate * now)
            {
                Send(sockets[sent % flows], data);
                sent++;
            }
        }

        Array.ForEach(sockets, each => each.Dispose());
        return new ChildResult { Events = sent, Flows = flows, Seconds = Stopwatch.GetElapsedTime(started).TotalSeconds };
    }

    // An ICMP error about an earlier datagram is told at the next one.
    private static void Send(Socket socket, byte[] data)
    {
        try
        {
            socket.Send(data);
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.ConnectionRefused)
        {
        }
    }

    private static void Accept(Socket listener)
    {
        while (true)
        {
            try
            {
                listener.Accept().Dispose();
            }
            catch (SocketException error)
            {
                Console.Error.WriteLine(string.Create(CultureInfo.InvariantCulture, $"accept: {error.SocketErrorCode}"));
            }
        }
    }
}
