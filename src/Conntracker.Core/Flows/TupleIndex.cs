namespace Conntracker.Core.Flows;

/// <summary>
/// Finds flows by other tuples than their own, such as those after NAT, and by the kernel's id. Bounded: entries are in two generations; the older one
/// is dropped when the younger is full, and a used entry moves to the younger one. An entry may outlive its flow, so it is checked.
/// </summary>
internal sealed class TupleIndex
{
    private const int GenerationSize = 1 << 18;

    private readonly FlowTable _flows;
    private readonly Generations<FlowKey> _tuples = new(FlowKeyComparer.Instance);
    private readonly Generations<uint> _ids = new(comparer: null);

    public TupleIndex(FlowTable flows) => _flows = flows;

    /// <summary>How many tuples were dropped for newer ones.</summary>
    public long Dropped => _tuples.Dropped;

    /// <summary>Adds a tuple that packets of a flow have somewhere on their way.</summary>
    /// <param name="tuple">The tuple.</param>
    /// <param name="slot">The flow's slot.</param>
    /// <param name="isReply">Whether packets of the reply direction have it.</param>
    public void AddTuple(ref readonly FlowKey tuple, int slot, bool isReply) => _tuples.Add(in tuple, EntryOf(slot, isReply));

    /// <summary>Adds a connection's id.</summary>
    /// <param name="id">The id.</param>
    /// <param name="slot">The flow's slot.</param>
    /// <param name="isOfPacket">Whether only a packet had it; the flow's record may have that of an earlier connection.</param>
    public void AddId(uint id, int slot, bool isOfPacket = false) => _ids.Add(in id, EntryOf(slot, isOfPacket));

    /// <summary>Finds a flow by a tuple; -1 when there is none.</summary>
    public int FindTuple(ref readonly FlowKey tuple, out bool isReply)
    {
        bool isFound = _tuples.TryFind(in tuple, out Entry entry, out bool isOlder);
        isReply = entry.Mark;
        if (!isFound || !IsThere(in entry))
        {
            return -1;
        }

        if (isOlder)
        {
            _tuples.Add(in tuple, entry);
        }

        return entry.Slot;
    }

    /// <summary>Finds a flow by its connection's id; -1 when there is none.</summary>
    public int FindId(uint id)
    {
        if (!_ids.TryFind(in id, out Entry entry, out bool isOlder) || !IsThere(in entry) || (!entry.Mark && _flows[entry.Slot].Id != id))
        {
            return -1;
        }

        if (isOlder)
        {
            _ids.Add(in id, entry);
        }

        return entry.Slot;
    }

    private Entry EntryOf(int slot, bool mark) => new(slot, _flows[slot].FirstSeen, mark);

    // A slot that was released and reused holds a flow that began at another time.
    private bool IsThere(ref readonly Entry entry) =>
        entry.Slot < _flows.SlotCount && _flows[entry.Slot].IsUsed && _flows[entry.Slot].FirstSeen == entry.FirstSeen;

    // Mark: of a tuple, whether packets of the reply direction have it; of an id, whether only a packet had it.
    private readonly record struct Entry(int Slot, long FirstSeen, bool Mark);

    private sealed class Generations<TKey>(IEqualityComparer<TKey>? comparer)
        where TKey : struct
    {
        private Dictionary<TKey, Entry> _younger = new(comparer);
        private Dictionary<TKey, Entry> _older = new(comparer);

        public long Dropped { get; private set; }

        public void Add(ref readonly TKey key, Entry entry)
        {
            if (_older.Count > 0)
            {
                _older.Remove(key);
            }

            if (_younger.Count >= GenerationSize && !_younger.ContainsKey(key))
            {
                Dropped += _older.Count;
                (_older, _younger) = (_younger, _older);
                _younger.Clear();
            }

            _younger[key] = entry;
        }

        public bool TryFind(ref readonly TKey key, out Entry entry, out bool isOlder)
        {
            isOlder = false;
            return _younger.TryGetValue(key, out entry) || (isOlder = _older.TryGetValue(key, out entry));
        }
    }
}
