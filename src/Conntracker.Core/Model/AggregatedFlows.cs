using System.Net;
using Conntracker.Core.Model;

namespace Conntracker;

/// <summary>
/// Folds flows for firewall rules, and sums those that become equal. It holds one object per distinct folded flow, and no others.
/// </summary>
/// <param name="folding">The direction of the flows whose far end is folded.</param>
public sealed class AggregatedFlows(InternetFolding folding)
{
    private readonly Dictionary<Key, Flow> _flows = [];

    /// <summary>The folded flows, each once.</summary>
    public IReadOnlyCollection<Flow> All => _flows.Values;

    /// <summary>Adds a flow; false if flows of its direction are not folded.</summary>
    public bool Add(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        if (!InternetAggregator.Folds(flow.Direction))
        {
            return false;
        }

        Flow folded = InternetAggregator.Fold(flow, folding);
        Key key = Key.Of(folded);
        _flows[key] = _flows.TryGetValue(key, out Flow? sum) ? Sum(sum, folded) : folded;
        return true;
    }

    // What both have in common stays, what differs becomes unknown. The state is that of the flow that was seen last.
    private static Flow Sum(Flow a, Flow b)
    {
        Flow sum = (b.LastSeen >= a.LastSeen ? b : a).Copy();
        sum.Connections = a.Connections + b.Connections;
        sum.Packets = Sum(a.Packets, b.Packets);
        sum.Bytes = Sum(a.Bytes, b.Bytes);
        sum.ReplyPackets = Sum(a.ReplyPackets, b.ReplyPackets);
        sum.ReplyBytes = Sum(a.ReplyBytes, b.ReplyBytes);
        sum.FirstSeen = a.FirstSeen < b.FirstSeen || b.FirstSeen is null ? a.FirstSeen : b.FirstSeen;
        sum.LastSeen = sum.LastSeen ?? a.LastSeen ?? b.LastSeen;
        sum.Confirmed = a.Confirmed || b.Confirmed;
        sum.IsNat = a.IsNat || b.IsNat;
        sum.ReplySrcAddress = Same(a.ReplySrcAddress, b.ReplySrcAddress);
        sum.ReplySrcPort = Same(a.ReplySrcPort, b.ReplySrcPort);
        sum.ReplyDstAddress = Same(a.ReplyDstAddress, b.ReplyDstAddress);
        sum.Process = SameProcess(a.Process, b.Process);
        sum.ReplyProcess = SameProcess(a.ReplyProcess, b.ReplyProcess);
        sum.Trace = [];
        sum.Verdict = a.Verdict == b.Verdict ? a.Verdict : FlowVerdict.Unknown;
        sum.VerdictRule = Same(a.VerdictRule, b.VerdictRule);
        sum.TraceIncomplete = a.TraceIncomplete || b.TraceIncomplete;
        return sum;
    }

    private static ulong? Sum(ulong? a, ulong? b) => a is null ? b : a + (b ?? 0);

    private static T? Same<T>(T? a, T? b) => EqualityComparer<T?>.Default.Equals(a, b) ? a : default;

    private static FlowProcess? SameProcess(FlowProcess? a, FlowProcess? b) => a?.Id == b?.Id && a?.Name == b?.Name ? a : null;

    private readonly record struct Key(
        FlowProtocol Protocol, IPAddress SrcAddress, IPAddress DstAddress, ushort? DstPort, byte? IcmpType, byte? IcmpCode, ushort Zone,
        FlowDirection Direction, FlowFolding Folding)
    {
        // The client's port is not part of the key: folding has removed it from every flow.
        public static Key Of(Flow flow) => new(
            flow.Protocol, flow.SrcAddress, flow.DstAddress, flow.DstPort, flow.IcmpType, flow.IcmpCode, flow.Zone, flow.Direction, flow.Folding);
    }
}
