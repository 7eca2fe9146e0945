using System.Net;
using Conntracker.Core.Addresses;
using Conntracker.Core.Processes;
using Conntracker.Core.Recording;

namespace Conntracker.Tests.Unit;

/// <summary>Tells a collector of processes and their sockets, as a capture with processes resolved does.</summary>
internal static class ProcessMessages
{
    public static FlowProcess Process(int id, string name, ProcessSource source = ProcessSource.Bpf) => new()
    {
        Id = id,
        Name = name,
        CommandLine = $"/usr/bin/{name} --flag",
        UserId = 1000,
        UserName = "alice",
        RealUserId = 65534,
        RealUserName = "nobody",
        Source = source,
    };

    public static void Report(
        this CollectorProbe probe, int number, string name, ProcessSource source = ProcessSource.Bpf, SocketScope scope = SocketScope.Here, ulong space = 0)
    {
        byte[] frame = new byte[ProcessReport.MaximumMessageLength];
        int length = new ProcessReport(number, scope, Process(number + 1000, name, source)) { Namespace = space }.Write(frame);
        probe.Take(MessageKind.Process, frame[..length]);
    }

    /// <summary>A socket sends a packet.</summary>
    public static void Sends(this CollectorProbe probe, int number, string src, string dst, SocketScope scope = SocketScope.Here) =>
        Socket(probe, number, src, dst, FlowProtocol.Tcp, isOutgoing: true, scope);

    /// <summary>A socket receives a packet.</summary>
    public static void Receives(this CollectorProbe probe, int number, string src, string dst, SocketScope scope = SocketScope.Here) =>
        Socket(probe, number, src, dst, FlowProtocol.Tcp, isOutgoing: false, scope);

    private static void Socket(CollectorProbe probe, int number, string src, string dst, FlowProtocol protocol, bool isOutgoing, SocketScope scope)
    {
        IPEndPoint from = IPEndPoint.Parse(src);
        IPEndPoint to = IPEndPoint.Parse(dst);
        SocketOwner owner = new() { Process = number, IsOutgoing = isOutgoing, Scope = scope };
        owner.Key.Family = from.Address.GetAddressBytes().Length == 4 ? FlowFamily.IPv4 : FlowFamily.IPv6;
        owner.Key.Protocol = protocol;
        owner.Key.Original.Src = AddressBits.From(from.Address);
        owner.Key.Original.SrcPort = (ushort)from.Port;
        owner.Key.Original.Dst = AddressBits.From(to.Address);
        owner.Key.Original.DstPort = (ushort)to.Port;
        byte[] frame = new byte[SocketOwner.FrameLength];
        owner.Write(frame);
        probe.Take(MessageKind.SocketOwner, frame);
    }
}
