namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>Where in its conversation a packet stands.</summary>
internal enum ProbeKind
{
    /// <summary>The first packet: SYN, INIT, Request; for protocols without a beginning, any packet.</summary>
    First,

    /// <summary>A packet in the middle, with data; the first one of its kind behind the handshake that <see cref="ProbeReplyWriter"/> makes.</summary>
    Data,
}
