using System.Buffers.Binary;
using System.Net;
using Conntracker.Core.Captures;
using Conntracker.Core.Native;
using Conntracker.Core.Recording;

namespace Conntracker.Tests.Unit;

/// <summary>A collector that is fed with packets, beginning with their IP headers unless told otherwise; a clock that only the test moves.</summary>
internal sealed class PacketProbe : IDisposable
{
    public PacketProbe(int maximumFlows = CaptureOptions.MinimumOfMaximumFlows, int linkType = PcapConstants.DLT_RAW, params FlowProtocol[] protocols)
    {
        Collector = new FlowCollector(maximumFlows, protocols);
        byte[] data = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(data, linkType);
        Collector.Handle(MessageKind.PacketLink, 0, data);
    }

    public FlowCollector Collector { get; }

    public DateTimeOffset Now { get; set; } = CollectorProbe.Start;

    public CaptureCounters Counters => Collector.Counters;

    /// <summary>A packet comes.</summary>
    public void Put(byte[] packet, int? onWire = null)
    {
        byte[] data = [.. BitConverter.GetBytes(onWire ?? packet.Length), .. packet];
        Collector.Handle(MessageKind.Packet, Now.UtcTicks, data);
    }

    /// <summary>The host has these addresses.</summary>
    public PacketProbe Own(params string[] addresses)
    {
        foreach (string each in addresses)
        {
            byte[] bytes = IPAddress.Parse(each).GetAddressBytes();
            byte[] message =
            [
                .. BitConverter.GetBytes(16 + 8 + 4 + bytes.Length), .. BitConverter.GetBytes((ushort)NetlinkConstants.RTM_NEWADDR), .. new byte[10],
                (byte)(bytes.Length == 4 ? 2 : 10), (byte)(bytes.Length * 8), 0, 0, 1, 0, 0, 0,
                .. BitConverter.GetBytes((ushort)(4 + bytes.Length)), 2, 0, .. bytes,
            ];
            Collector.Handle(MessageKind.Addresses, Now.UtcTicks, message);
        }

        return this;
    }

    public void Wait(double seconds) => Now = Now.AddSeconds(seconds);

    /// <summary>All packets up to now have come.</summary>
    public void Flush() => Collector.Handle(MessageKind.PacketTime, Now.UtcTicks, default);

    public List<Flow> Flows() => CollectorProbe.FlowsOf(Collector);

    /// <summary>The only flow that there is.</summary>
    public Flow Flow() => Xunit.Assert.Single(Flows());

    /// <summary>Plays packets between two ends; see <see cref="Conversation"/>.</summary>
    public PacketProbe Play(FlowProtocol protocol, string script)
    {
        new Conversation(protocol).Play(this, script);
        return this;
    }

    public void Dispose() => Collector.Dispose();
}
