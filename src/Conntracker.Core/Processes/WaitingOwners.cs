using Conntracker.Core.Flows;

namespace Conntracker.Core.Processes;

/// <summary>
/// Owners of sockets whose flow is not known yet: the records of the eBPF programs and the events of connection tracking come in any order. The
/// oldest are dropped when there are too many, and after a while.
/// </summary>
internal sealed class WaitingOwners
{
    private const int Capacity = 65_536;
    private const long PatienceTicks = 60 * TimeSpan.TicksPerSecond;

    private readonly Dictionary<FlowKey, Ends> _waiting = new(FlowKeyComparer.Instance);
    private readonly Queue<(FlowKey Key, long Since)> _order = new();

    /// <summary>How many tuples wait.</summary>
    public int Count => _waiting.Count;

    /// <summary>How many were dropped early for newer ones.</summary>
    public long Lost { get; private set; }

    /// <summary>Keeps an owner.</summary>
    public void Add(in SocketOwner owner, long now)
    {
        while (_order.TryPeek(out (FlowKey Key, long Since) oldest) && (_order.Count >= Capacity || now - oldest.Since > PatienceTicks))
        {
            _order.Dequeue();
            if (_waiting.TryGetValue(oldest.Key, out Ends ends) && ends.Since == oldest.Since)
            {
                _waiting.Remove(oldest.Key);
                Lost += now - oldest.Since > PatienceTicks ? 0 : 1;
            }
        }

        Ends both = _waiting.GetValueOrDefault(owner.Key);
        if (both.Since != now)
        {
            _order.Enqueue((owner.Key, now));
        }

        both.Since = now;
        (owner.IsOutgoing ? ref both.Sender : ref both.Receiver) = owner;
        _waiting[owner.Key] = both;
    }

    /// <summary>Removes and returns the owners that wait for a tuple.</summary>
    /// <param name="key">The tuple.</param>
    /// <param name="sender">The sender; its process is 0 when none waits.</param>
    /// <param name="receiver">The receiver; its process is 0 when none waits.</param>
    public bool TryTake(in FlowKey key, out SocketOwner sender, out SocketOwner receiver)
    {
        bool found = _waiting.Remove(key, out Ends ends);
        sender = ends.Sender;
        receiver = ends.Receiver;
        return found;
    }

    private struct Ends
    {
        public SocketOwner Sender;
        public SocketOwner Receiver;
        public long Since;
    }
}
