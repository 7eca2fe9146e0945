namespace Conntracker.Core.Packets;

/// <summary>Whether a packet is whole, or which fragment it is.</summary>
internal enum PacketFragment : byte
{
    /// <summary>Not a fragment.</summary>
    None,

    /// <summary>The first fragment: it has the ports.</summary>
    First,

    /// <summary>A later fragment.</summary>
    Later,
}
