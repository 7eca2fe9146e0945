





using Conntracker.Core.Flows;

namespace Conntracker.Core.Packets;

/// <summary>
/// The tuples of packets that come in fragments: only the first one has the ports. A fixed number of places, the newer packet takes the
/// place of the older one; fragments that come before their first one are not joined.
/// </summary>
internal sealed class FragmentCache
{
    private const int Places = 1 << 12;

    // As long as the kernel waits for the rest of a packet (net.ipv4.ipfrag_time).
    private static readonly long s_patience = TimeSpan.FromSeconds(30).Ticks;

    private readonly Entry[] _entries = new Entry[Places];

    /// <summary>Notes the first fragment of a packet.</summary>
    public void Add(ref readonly PacketTuple first, long now)
    {
        FlowKey name = NameOf(in first);
        _entries[SlotOf(in name)] = new Entry { Name = name, Key = first.Key, Time = now };
    }

    /// <summary>Gives a later fragment the tuple of its packet; false when its first one is not known.</summary>
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

    // Addresses and protocol, and what the fragments share in place of the ports. With IPv6 a later fragment does not tell the protocol where
    // more extension headers follow, and its number is used for one packet between two addresses (RFC 8200, 4.5).
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
