namespace Conntracker.Core.Flows;

/// <summary>
/// The connections whose end was reported last. What comes late about one of them is recognized by it: another copy of its end, or a dump's
/// answer that is older than its end. Its flow cannot show that: it may have another connection by then, or be folded.
/// </summary>
/// <remarks>
/// The kernel sends a DESTROY again when a listener with NETLINK_BROADCAST_ERROR had no room for it, and every other listener gets each copy. It keeps
/// the connection's memory until the last copy is sent, so no other connection has its id before.
/// </remarks>
internal sealed class RecentEnds
{
    /// <summary>How many connections are remembered. Copies come after some 10 ms.</summary>
    public const int Capacity = 8192;

    // The number of each connection's end. Tuple and id are one number here: that two have the same is as unlikely as 1 in 2^64.
    private readonly Dictionary<ulong, long> _numbers = new(Capacity);
    private readonly ulong[] _connections = new ulong[Capacity];

    /// <summary>How many ends there were.</summary>
    public long Count { get; private set; }

    /// <summary>A connection has ended.</summary>
    /// <param name="hash">The hash of its key.</param>
    /// <param name="id">The kernel's id of it.</param>
    public void Add(uint hash, uint id)
    {
        ulong connection = NumberOf(hash, id);
        ref ulong slot = ref _connections[Count % Capacity];

        // The connection that had the slot may have ended again since (its id is used again): that end is remembered longer.
        if (_numbers.TryGetValue(slot, out long number) && number == Count - Capacity)
        {
            _numbers.Remove(slot);
        }

        slot = connection;
        _numbers[connection] = Count++;
    }

    /// <summary>A connection of this tuple and id has begun: what comes from now on is about that one.</summary>
    public void Remove(uint hash, uint id) => _numbers.Remove(NumberOf(hash, id));

    /// <summary>Whether a connection has ended.</summary>
    /// <param name="hash">The hash of its key.</param>
    /// <param name="id">The kernel's id of it.</param>
    /// <param name="since">The value of <see cref="Count"/> from which on ends are looked at; 0 for all.</param>
    public bool Contains(uint hash, uint id, long since) => _numbers.TryGetValue(NumberOf(hash, id), out long number) && number >= since;

    private static ulong NumberOf(uint hash, uint id) => ((ulong)hash << 32) | id;
}
