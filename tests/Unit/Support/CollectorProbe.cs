using System.Buffers.Binary;
using Conntracker.Core.Captures;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A collector whose clock goes one second further with each thing that it is told.</summary>
internal sealed class CollectorProbe : IDisposable
{
    public static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public CollectorProbe(int maximumFlows = CaptureOptions.MinimumOfMaximumFlows, params FlowProtocol[] protocols) =>
        Collector = new FlowCollector(maximumFlows, protocols);

    public CollectorProbe(AddressRange own) => Collector = new FlowCollector(CaptureOptions.MinimumOfMaximumFlows, [], [own]);

    public FlowCollector Collector { get; }

    public CaptureCounters Counters => Collector.Counters;

    public DateTimeOffset Now { get; private set; } = Start;

    public void Event(byte[] datagram) => Take(MessageKind.ConntrackEvent, datagram);

    public void Dump(DumpReason reason, params byte[][] entries)
    {
        BeginDump(reason);
        foreach (byte[] entry in entries)
        {
            DumpEntry(entry);
        }

        EndDump();
    }

    public void BeginDump(DumpReason reason = DumpReason.Refresh) => Take(MessageKind.DumpRequested, [(byte)reason]);

    public void DumpEntry(byte[] entry) => Take(MessageKind.ConntrackDump, entry);

    public void EndDump(int errno = 0, int flags = NetlinkConstants.NLM_F_MULTI) => Take(MessageKind.ConntrackDump, DumpEnd(errno, flags));

    public static byte[] DumpEnd(int errno = 0, int flags = NetlinkConstants.NLM_F_MULTI)
    {
        NetlinkWriter writer = new(new byte[32]);
        writer.BeginMessage(errno == 0 ? NetlinkConstants.NLMSG_DONE : NetlinkConstants.NLMSG_ERROR, flags, 1);
        writer.WriteStruct(-errno);
        writer.EndMessage();
        return writer.Written.ToArray();
    }

    public void Lost(long count)
    {
        byte[] data = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(data, count);
        Take(MessageKind.Lost, data);
    }

    public void Take(MessageKind kind, byte[]? data = null)
    {
        Now = Now.AddSeconds(1);
        Collector.Handle(kind, Now.UtcTicks, data);
    }

    public List<Flow> Flows() => FlowsOf(Collector);

    /// <summary>The only flow that there is.</summary>
    public Flow Flow() => Assert.Single(Flows());

    public void Dispose() => Collector.Dispose();

    public static List<Flow> FlowsOf(FlowCollector collector)
    {
        using FlowSnapshot snapshot = collector.Snapshot();
        List<Flow> flows = [];
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            if (snapshot.ToFlow(slot, FlowQuery.All) is Flow flow)
            {
                flows.Add(flow);
            }
        }

        return flows;
    }
}
