using Conntracker.Core.Flows;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Finds the flow of a packet by its header, wherever on its way the header was seen. With the original tuple O (client to virtual address) and the
/// reply tuple R (server to masqueraded address), NAT changes a packet's header from O to client-to-server to R reversed; and a reply's from R to
/// server-to-client to O reversed.
/// </summary>
internal sealed class FlowLocator
{
    // The zone of tuples in the index whose flow is in some zone; all others are in zone 0.
    private const ushort SomeZone = ushort.MaxValue;

    private readonly FlowTable _flows;
    private readonly TupleIndex _index;

    public FlowLocator(FlowTable flows)
    {
        _flows = flows;
        _index = new TupleIndex(flows);
    }

    /// <summary>The flow of a header; -1 when there is none yet.</summary>
    /// <param name="header">The packet's tuple, in zone 0.</param>
    /// <param name="isReply">Whether the packet travels in the reply direction.</param>
    public int Find(ref readonly FlowKey header, out bool isReply)
    {
        isReply = false;
        int slot = _flows.Find(in header);
        if (slot >= 0 || (slot = _index.FindTuple(in header, out isReply)) >= 0)
        {
            return slot;
        }

        FlowKey reverse = FlowKey.Reverse(in header);
        isReply = true;
        if ((slot = _flows.Find(in reverse)) < 0 && (slot = _index.FindTuple(in reverse, out bool isReverseReply)) >= 0)
        {
            isReply = !isReverseReply;
        }

        return slot;
    }

    /// <summary>The flow of a header in any zone; -1 when there is none yet. For packets whose connection id is not known.</summary>
    /// <param name="header">The packet's tuple, in zone 0.</param>
    /// <param name="isReply">Whether the packet travels in the reply direction.</param>
    public int FindInAnyZone(ref readonly FlowKey header, out bool isReply)
    {
        int slot = Find(in header, out isReply);
        if (slot < 0)
        {
            FlowKey zoned = header with { Zone = SomeZone };
            slot = _index.FindTuple(in zoned, out isReply);
        }

        return slot;
    }

    /// <summary>The flow of a connection's id; -1 when there is none yet.</summary>
    public int Find(uint conntrackId) => _index.FindId(conntrackId);

    /// <summary>Adds a flow of connection tracking: from now on it is found by every header that its packets may have.</summary>
    public void AddTuple(int slot)
    {
        ref FlowRecord record = ref _flows[slot];
        if (record.Folding != FlowFolding.None)
        {
            return;
        }

        if (record.Id != 0)
        {
            _index.AddId(record.Id, slot);
        }

        if (record.Key.Zone != 0)
        {
            FlowKey original = record.Key with { Zone = SomeZone };
            _index.AddTuple(in original, slot, isReply: false);
            FlowKey answer = original with { Original = record.Reply };
            _index.AddTuple(in answer, slot, isReply: true);
        }

        if ((record.Status & (IPS_SRC_NAT | IPS_DST_NAT)) != 0)
        {
            FlowKey reply = record.Key with { Original = record.Reply, Zone = 0 };
            _index.AddTuple(in reply, slot, isReply: true);
            FlowKey between = record.Key with { Zone = 0 };
            between.Original.Dst = record.Reply.Src;
            between.Original.DstPort = FlowKey.HasPorts(record.Key.Protocol) ? record.Reply.SrcPort : record.Key.Original.DstPort;
            _index.AddTuple(in between, slot, isReply: false);
        }
    }

    /// <summary>Adds a header with which a packet of a flow was seen.</summary>
    public void AddTuple(ref readonly FlowKey header, int slot, bool isReply) => _index.AddTuple(in header, slot, isReply);

    /// <summary>Adds a connection id with which a packet of a flow was seen; the flow's record may still name an earlier connection.</summary>
    public void AddTuple(uint conntrackId, int slot) => _index.AddId(conntrackId, slot, isOfPacket: true);
}
