namespace Conntracker.Core.Tracing;

/// <summary>Counts packets of nftables and lines of iptables with missing steps.</summary>
internal sealed class IncompleteTraces
{
    /// <summary>How many there are.</summary>
    public long Count { get; private set; }

    /// <summary>Counts a packet, unless it was counted before.</summary>
    public void Add(ref PacketInFlight packet)
    {
        Count += packet.IsIncomplete ? 0 : 1;
        packet.IsIncomplete = true;
    }

    /// <summary>Counts a line without a step.</summary>
    public void AddLine() => Count++;
}
