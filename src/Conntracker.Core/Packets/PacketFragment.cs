namespace Conntracker.Core.Packets;

/// <summary>Which part of an IP packet a packet is.</summary>
internal enum PacketFragment : byte
{
    /// <summary>All of it.</summary>
    None,

    /// <summary>The first fragment: it has the ports.</summary>
    First,

    /// <summary>A later fragment.</summary>
    Later,
}
