using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>Captures from packets in a test's namespace, and what libpcap leaves of them in the kernel meanwhile.</summary>
internal static class PacketCapture
{
    private const string EveryProtocol = "0003";
    private const int ProtocolColumn = 3;

    /// <summary>Captures the packets of an interface.</summary>
    /// <param name="where">The namespace.</param>
    /// <param name="device">The interface; null for all of them.</param>
    /// <param name="filter">Which packets; null for all.</param>
    public static LiveCapture Start(TestNamespace where, string? device, string? filter = null) => LiveCapture.Start(Options(where, device, filter));

    /// <summary>Reads a capture file to its end.</summary>
    public static LiveCapture Read(string path, string? filter = null)
    {
        LiveCapture file = LiveCapture.Start(new CaptureOptions { Source = CaptureSource.Packet, PcapPath = path, Filter = filter });
        Assert.True(file.Capture.Wait(TimeSpan.FromSeconds(20)));
        Assert.Null(file.Capture.Error);
        return file;
    }

    /// <summary>How to capture the packets of an interface.</summary>
    public static CaptureOptions Options(TestNamespace where, string? device, string? filter = null) =>
        new() { NetworkNamespace = where.Name, Source = CaptureSource.Packet, Interface = device, Filter = filter };

    /// <summary>How many sockets in the namespace take packets of every protocol.</summary>
    public static int CountSockets(TestNamespace where) => where.Do(() => File.ReadLines("/proc/thread-self/net/packet")
        .Count(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[ProtocolColumn] == EveryProtocol));

    /// <summary>How many have the interface in promiscuous mode.</summary>
    public static int Promiscuity(TestNamespace where, string device)
    {
        const string Name = "promiscuity ";
        string text = Tool.Run("ip", "-d", "-n", where.Name, "link", "show", "dev", device);
        return int.Parse(text[(text.IndexOf(Name, StringComparison.Ordinal) + Name.Length)..].Split(' ')[0], CultureInfo.InvariantCulture);
    }

    /// <summary>Sends datagrams of a namespace, also to all: broadcast and multicast.</summary>
    public static void SendDatagrams(TestNamespace from, IPEndPoint source, IPEndPoint target, int count = 1) => from.Do(() =>
    {
        using Socket socket = Sockets.Open(FlowProtocol.Udp, source);
        socket.EnableBroadcast = source.AddressFamily == AddressFamily.InterNetwork;
        byte[] data = new byte[18];
        for (int i = 0; i < count; i++)
        {
            socket.SendTo(data, target);
        }
    });

    /// <summary>Waits for the flow to a port, and gives it.</summary>
    public static Flow FlowTo(this LiveCapture live, int port) =>
        Eventually.Find($"a flow to port {port}", () => live.Flows.FirstOrDefault(flow => flow.DstPort == port));

    /// <summary>Waits for the flow from a port, and gives it.</summary>
    public static Flow FlowFrom(this LiveCapture live, int port) =>
        Eventually.Find($"a flow from port {port}", () => live.Flows.FirstOrDefault(flow => flow.SrcPort == port));

    /// <summary>Two namespaces' interfaces joined by a cable that has addresses of neither family yet, both up.</summary>
    public static void Join(TestNamespace one, string device, TestNamespace other, string peer)
    {
        Tool.Run("ip", "link", "add", device, "netns", one.Name, "type", "veth", "peer", "name", peer, "netns", other.Name);
        Tool.Run("ip", "-n", one.Name, "link", "set", device, "up");
        Tool.Run("ip", "-n", other.Name, "link", "set", peer, "up");
    }
}
