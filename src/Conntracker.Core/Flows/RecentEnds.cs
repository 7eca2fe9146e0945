namespace Conntracker.Core.Flows;

/// <summary>
/// The connections whose end was reported last. Late messages about them are recognized by it: another copy of the end, or a dump's
/// answer that is older than the end. The flow cannot show that: by then it may have another connection, or be folded.
/// </summary>
/// <remarks>
/// The kernel sends a DESTROY again if a listener with NETLINK_BROADCAST_ERROR had no room for it, and every other listener gets each copy. It keeps
/// the connection's memory until the last copy is sent, so no other connection gets the id before.
/// </remarks>
internal sealed class RecentEnds
{
    /// <summary>The number of connections that are remembered. Copies come after some 10 ms.</summary>
    public const int Capacity = 8192;

    // The number of each connection's end, by a hash of tuple and id. Two of these collide with a probability of 1 in 2^64.
    private readonly Dictionary<ulong, long> _numbers = new(Capacity);
    private readonly ulong[] _connections = new ulong[Capacity];

    /// <summary>The number of ends so far.</summary>
    public long Count { get; private set; }

    /// <summary>Adds the end of a connection.</summary>
    /// <param name="hash">The hash of its key.</param>
    /// <param name="id">The kernel's id of the connection.</param>
    public void Add(uint hash, uint id)
    {
        ulong connection = NumberOf(hash, id);
        ref ulong slot = ref _connections[Count % Capacity];

        // The connection that had this slot may have ended again since, with a reused id: the later end stays.
        if (_numbers.TryGetValue(slot, out long number) && number == Count - Capacity)
        {
            _numbers.Remove(slot);
        }

        slot = connection;
        _numbers[connection] = Count++;
    }

    /// <summary>Removes a connection: another one with this tuple and id has begun, and later messages are about that one.</summary>
    public void Remove(uint hash, uint id) => _numbers.Remove(NumberOf(hash, id));

    /// <summary>Whether a connection has ended.</summary>
    /// <param name="hash">The hash of its key.</param>
    /// <param name="id">The kernel's id of the connection.</param>
    /// <param name="since">Only ends from this value of <see cref="Count"/> on are considered; 0 for all.</param>
    public bool Contains(uint hash, uint id, long since) => _numbers.TryGetValue(NumberOf(hash, id), out long number) && number >= since;

    private static ulong NumberOf(uint hash, uint id) => ((ulong)hash << 32) | id;
}
