using Conntracker.Core.Flows;

namespace Conntracker.Core.Packets;

/// <summary>
/// The tuples of fragmented packets: only the first fragment has the ports. The number of slots is fixed, and a newer packet replaces the older one
/// in its slot. Fragments that arrive before the first one are not joined.
/// </summary>
internal sealed class FragmentCache
{
    private const int Places = 1 << 12;

    // The kernel waits this long for the rest of a packet (net.ipv4.ipfrag_time).
    private static readonly long s_patience = TimeSpan.FromSeconds(30).Ticks;

    private readonly Entry[] _entries = new Entry[Places];

    /// <summary>Remembers the first fragment of a packet.</summary>
    public void Add(ref readonly PacketTuple first, long now)
    {
        FlowKey name = NameOf(in first);
        _entries[SlotOf(in name)] = new Entry { Name = name, Key = first.Key, Time = now };
    }

    /// <summary>Gives a later fragment the tuple of its packet; false when the first fragment is not known.</summary>
    public bool TryComplete(ref PacketTuple later, long now)
    {
        FlowKey name = NameOf(in later);
        ref readonly Entry entry = ref _entries[SlotOf(in name)];
        if (!FlowKey.AreEqual(in entry.Name, in name) || Math.Abs(now - entry.Time) > s_patience)
        {
            return false;
        }

        later.Key = entry.Key;
        return true;
    }

    // Addresses, protocol, and the fragment id in place of the ports. A later fragment of IPv6 does not show the protocol when more extension headers
    // follow. Its fragment id is used for one packet between two addresses only (RFC 8200, 4.5).
    private static FlowKey NameOf(ref readonly PacketTuple packet)
    {
        FlowKey name = packet.Key;
        name.Protocol = packet.Key.Family == FlowFamily.IPv6 ? FlowProtocol.None : packet.Key.Protocol;
        name.Original.SrcPort = (ushort)packet.FragmentId;
        name.Original.DstPort = (ushort)(packet.FragmentId >> 16);
        return name;
    }

    private static uint SlotOf(ref readonly FlowKey name) => FlowKey.Hash(in name) % Places;

    private struct Entry
    {
        public FlowKey Name;
        public FlowKey Key;
        public long Time;
    }
}
