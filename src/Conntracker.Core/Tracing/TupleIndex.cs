using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Finds flows by their tuples before and after NAT, and by the kernel's id. Bounded: entries are in two generations; the older one is dropped when
/// the younger is full, and a used entry moves to the younger one. An entry may outlive its flow, so it is checked.
/// </summary>
internal sealed class TupleIndex
{
    private const int GenerationSize = 1 << 18;

    private readonly FlowTable _flows;
    private Dictionary<FlowKey, Entry> _tuples = new(FlowKeyComparer.Instance);
    private Dictionary<FlowKey, Entry> _olderTuples = new(FlowKeyComparer.Instance);
    private Dictionary<uint, Entry> _ids = [];
    private Dictionary<uint, Entry> _olderIds = [];

    public TupleIndex(FlowTable flows) => _flows = flows;

    /// <summary>Adds a tuple that packets of a flow have somewhere on their way.</summary>
    /// <param name="tuple">The tuple, in zone 0.</param>
    /// <param name="slot">The flow's slot.</param>
    /// <param name="isReply">Whether packets of the reply direction have it.</param>
    public void AddTuple(ref readonly FlowKey tuple, int slot, bool isReply)
    {
        if (_tuples.Count >= GenerationSize)
        {
            (_olderTuples, _tuples) = (_tuples, _olderTuples);
            _tuples.Clear();
        }

        _tuples[tuple] = new Entry(slot, _flows[slot].FirstSeen, isReply);
    }

    /// <summary>Adds a connection's id.</summary>
    /// <param name="id">The id.</param>
    /// <param name="slot">The flow's slot.</param>
    /// <param name="isOfPacket">Whether only a packet had it; the flow's record may have that of an earlier connection.</param>
    public void AddId(uint id, int slot, bool isOfPacket = false)
    {
        if (_ids.Count >= GenerationSize)
        {
            (_olderIds, _ids) = (_ids, _olderIds);
            _ids.Clear();
        }

        _ids[id] = new Entry(slot, _flows[slot].FirstSeen, isOfPacket);
    }

    /// <summary>Finds a flow by a tuple; -1 when there is none.</summary>
    public int FindTuple(ref readonly FlowKey tuple, out bool isReply)
    {
        bool isFound = _tuples.TryGetValue(tuple, out Entry entry);
        bool isOlder = !isFound && _olderTuples.TryGetValue(tuple, out entry);
        isReply = entry.IsReply;
        if (!(isFound || isOlder) || !IsThere(entry))
        {
            return -1;
        }

        if (isOlder)
        {
            AddTuple(in tuple, entry.Place, entry.IsReply);
        }

        return entry.Place;
    }

    /// <summary>Finds a flow by its connection's id; -1 when there is none.</summary>
    public int FindId(uint id)
    {
        bool isFound = _ids.TryGetValue(id, out Entry entry);
        bool isOlder = !isFound && _olderIds.TryGetValue(id, out entry);
        if (!(isFound || isOlder) || !IsThere(entry) || (!entry.IsReply && _flows[entry.Place].Id != id))
        {
            return -1;
        }

        if (isOlder)
        {
            AddId(id, entry.Place, entry.IsReply);
        }

        return entry.Place;
    }

    // A slot that was released and reused holds a flow that began at another time.
    private bool IsThere(Entry entry) =>
        entry.Place < _flows.SlotCount && _flows[entry.Place].IsUsed && _flows[entry.Place].FirstSeen == entry.FirstSeen;

    // For an id, IsReply means that only a packet had it.
    private readonly record struct Entry(int Place, long FirstSeen, bool IsReply);
}
