using Conntracker.Core.Flows;
using Conntracker.Core.Packets;

namespace Conntracker.Core.Tracing;

/// <summary>
/// The traced packets on their way: a table of fixed size, four slots for each value of an id's hash. Packets that wait for their
/// flow have slots of their own, because the kernel reuses ids at once. It allocates with the first packet, and never again.
/// </summary>
internal sealed class PacketSlots
{
    /// <summary>How many packets can be on their way, and how many can wait: those traced in the time that one waits. A power of two.</summary>
    public const int Capacity = 4096;

    private const int Ways = 4;

    private PacketInFlight[] _packets = [];
    private long[] _orders = [];
    private int[] _ordered = [];
    private long _lastOrder;
    private int _nextHeld;

    /// <summary>The packet in a slot.</summary>
    public ref PacketInFlight this[int slot] => ref _packets[slot];

    /// <summary>The slot of the packet with this id; -1 when there is none.</summary>
    public int Find(uint id)
    {
        int first = FirstOf(id);
        for (int slot = first; _packets.Length > 0 && slot < first + Ways; slot++)
        {
            if (_packets[slot].Phase == PacketPhase.Moving && _packets[slot].Id == id)
            {
                return slot;
            }
        }

        return -1;
    }

    /// <summary>A slot for a new packet.</summary>
    /// <param name="id">NFTA_TRACE_ID.</param>
    /// <param name="isInUse">Whether it holds another packet: the least important one, the oldest among equals.</param>
    public int Take(uint id, out bool isInUse)
    {
        if (_packets.Length == 0)
        {
            _packets = new PacketInFlight[2 * Capacity];
            foreach (ref PacketInFlight packet in _packets.AsSpan())
            {
                packet.Steps = new PacketSteps();
            }

            _orders = new long[2 * Capacity];
            _ordered = new int[2 * Capacity];
        }

        int first = FirstOf(id);
        int best = first;
        for (int slot = first; slot < first + Ways; slot++)
        {
            if (_packets[slot].Phase == PacketPhase.Free)
            {
                isInUse = false;
                return slot;
            }

            (bool IsDone, long Age) each = (IsDone(slot), -_packets[slot].Order);
            (bool IsDone, long Age) other = (IsDone(best), -_packets[best].Order);
            best = each.CompareTo(other) > 0 ? slot : best;
        }

        isInUse = true;
        return best;
    }

    /// <summary>The slot for the next packet that waits for its flow: that of the packet that has waited longest.</summary>
    /// <param name="isInUse">Whether that packet still waits.</param>
    public int TakeHeld(out bool isInUse)
    {
        int slot = Capacity + _nextHeld;
        _nextHeld = (_nextHeld + 1) % Capacity;
        isInUse = _packets[slot].Phase != PacketPhase.Free;
        return slot;
    }

    /// <summary>Moves a packet, with its steps, into a slot from <see cref="TakeHeld"/>; its own becomes free.</summary>
    public void Hold(int slot, int held)
    {
        PacketSteps unused = _packets[held].Steps;
        _packets[held] = _packets[slot];
        _packets[held].Phase = PacketPhase.Held;
        _packets[slot].Steps = unused;
        Free(slot);
    }

    /// <summary>Puts a packet into a slot from <see cref="Take"/>, as the latest one.</summary>
    public ref PacketInFlight Begin(int slot, uint id, long time)
    {
        PacketSteps steps = _packets[slot].Steps;
        steps.Clear();
        _packets[slot] = new PacketInFlight { Phase = PacketPhase.Moving, Id = id, Time = time, Order = ++_lastOrder, FlowSlot = -1, Steps = steps };
        return ref _packets[slot];
    }

    /// <summary>Removes a packet.</summary>
    public void Free(int slot)
    {
        _packets[slot].Phase = PacketPhase.Free;
        _packets[slot].Steps.Clear();
    }

    /// <summary>Replaces the numbers of steps: <see cref="StepTable.TakeDuplicates"/>.</summary>
    public void Renumber(ReadOnlySpan<int> numbers)
    {
        foreach (ref PacketInFlight packet in _packets.AsSpan())
        {
            foreach (ref int step in packet.Steps.Numbers)
            {
                step = step < 0 ? step : numbers[step];
            }
        }
    }

    /// <summary>The slots of packets that began before a time, in the order in which they began. Valid until the next call.</summary>
    public ReadOnlySpan<int> InOrder(long before)
    {
        int count = 0;
        for (int slot = 0; slot < _packets.Length; slot++)
        {
            if (_packets[slot].Phase != PacketPhase.Free && _packets[slot].Time < before)
            {
                _orders[count] = _packets[slot].Order;
                _ordered[count++] = slot;
            }
        }

        Array.Sort(_orders, _ordered, 0, count);
        return _ordered.AsSpan(0, count);
    }

    /// <summary>The slot of an earlier packet without a flow to which this one replies; -1 when there is none.</summary>
    public int FindAnswered(ref readonly PacketInFlight answer)
    {
        FlowKey original = FlowKey.Reverse(in answer.Header);
        for (int slot = 0; slot < _packets.Length; slot++)
        {
            ref PacketInFlight packet = ref _packets[slot];
            if (packet.Phase != PacketPhase.Free && packet.Order < answer.Order
                && !packet.HasFlow && !packet.IsError && FlowKey.AreEqual(in packet.Header, in original))
            {
                return slot;
            }
        }

        return -1;
    }

    /// <summary>
    /// The slot of the packet that caused an ICMP error, by the part of its header that the error repeats; -1 when it is not known. A packet without
    /// a number of its own must come from the host that gets the error.
    /// </summary>
    public int FindCause(ulong fingerprint, ref readonly PacketInFlight error)
    {
        int best = -1;
        bool isBestOfReceiver = false;
        for (int slot = 0; fingerprint != 0 && slot < _packets.Length; slot++)
        {
            ref PacketInFlight packet = ref _packets[slot];
            if (packet.Phase == PacketPhase.Free || packet.Fingerprint != fingerprint || packet.IsError || packet.Order >= error.Order)
            {
                continue;
            }

            bool isOfReceiver = packet.Header.Original.Src == error.Header.Original.Dst;
            bool isBetter = best < 0 || (isOfReceiver == isBestOfReceiver ? packet.Order > _packets[best].Order : isOfReceiver);
            if ((isOfReceiver || PacketFingerprint.IsNumbered(fingerprint)) && isBetter)
            {
                best = slot;
                isBestOfReceiver = isOfReceiver;
            }
        }

        return best;
    }

    // A packet that has passed and whose flow is known can be dropped without loss, except for a drop behind our last chain.
    private bool IsDone(int slot) => _packets[slot] is { HasPassed: true, HasFlow: true };

    private static int FirstOf(uint id) => (int)((id * 0x9E3779B1u) >> 20) & (Capacity - Ways);
}
