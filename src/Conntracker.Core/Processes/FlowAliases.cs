using Conntracker.Core.Flows;

namespace Conntracker.Core.Processes;

/// <summary>
/// Other tuples by which sockets know a flow: after NAT, and without the zone, which packets do not carry. When there are too many, the oldest are
/// dropped.
/// </summary>
internal sealed class FlowAliases
{
    private const int Capacity = 262_144;

    private readonly Dictionary<FlowKey, FlowKey> _keys = new(FlowKeyComparer.Instance);
    private readonly Queue<FlowKey> _order = new();

    /// <summary>How many were dropped for newer ones.</summary>
    public long Lost { get; private set; }

    /// <summary>Adds the other tuples of a flow, if it has any.</summary>
    public void Add(ref readonly FlowRecord record)
    {
        FlowKey translated = Translated(in record);
        if (record.Key.Zone != 0)
        {
            FlowKey withoutZone = record.Key;
            withoutZone.Zone = 0;
            Add(in withoutZone, in record.Key);
        }

        if (!FlowKey.AreEqual(in translated, in record.Key))
        {
            Add(in translated, in record.Key);
        }
    }

    /// <summary>The flow that has this tuple in its original direction.</summary>
    public bool TryFind(in FlowKey tuple, out FlowKey key) => _keys.TryGetValue(tuple, out key);

    /// <summary>The original direction's tuple after NAT, in zone 0.</summary>
    public static FlowKey Translated(ref readonly FlowRecord record)
    {
        FlowKey reply = record.Key;
        reply.Zone = 0;
        reply.Original = record.Reply;
        return FlowKey.Reverse(in reply);
    }

    private void Add(in FlowKey alias, in FlowKey key)
    {
        if (!_keys.ContainsKey(alias))
        {
            if (_order.Count >= Capacity)
            {
                _keys.Remove(_order.Dequeue());
                Lost++;
            }

            _order.Enqueue(alias);
        }

        _keys[alias] = key;
    }
}
