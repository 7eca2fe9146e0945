using Conntracker.Core.Flows;

namespace Conntracker.Core.Packets;

/// <summary>The state of a TCP connection from its packets' flags, in the states of connection tracking. Sequence numbers are not followed.</summary>
internal static class TcpTracking
{
    private const byte Fin = 1;
    private const byte Syn = 2;
    private const byte Rst = 4;
    private const byte Ack = 0x10;

    /// <summary>Whether the packet begins a connection.</summary>
    public static bool IsBeginning(byte flags) => (flags & (Syn | Ack | Rst)) == Syn;

    /// <summary>Whether the packet is the reply to the first one.</summary>
    public static bool IsFirstAnswer(byte flags) => (flags & (Syn | Ack | Rst)) == (Syn | Ack);

    /// <summary>Whether the packet refuses or aborts a connection: that is not an answer.</summary>
    public static bool IsReset(byte flags) => (flags & Rst) != 0;

    /// <summary>Whether a connection in this state has ended; late packets may still come.</summary>
    public static bool HasEnded(TcpState state) => state is TcpState.TimeWait or TcpState.Close;

    /// <summary>The state after a packet.</summary>
    /// <param name="state">The state before; <see cref="TcpState.None"/> for the first packet seen.</param>
    /// <param name="flags">The packet's flags.</param>
    /// <param name="isReply">Whether the packet comes from the responder.</param>
    /// <param name="signs">Who has sent FIN; updated.</param>
    public static TcpState Next(TcpState state, byte flags, bool isReply, ref SeenDirections signs)
    {
        if (IsReset(flags))
        {
            return TcpState.Close;
        }

        if (HasEnded(state))
        {
            return state;
        }

        if ((flags & Syn) != 0)
        {
            return AfterSyn(state, (flags & Ack) != 0, isReply);
        }

        if ((flags & Fin) != 0)
        {
            signs |= isReply ? SeenDirections.ReplyFin : SeenDirections.Fin;
            return (signs & SeenDirections.BothFins) == SeenDirections.BothFins ? TcpState.LastAck : TcpState.FinWait;
        }

        return state switch
        {
            // Connections from before the capture, and those whose handshake was missed in part.
            TcpState.None => TcpState.Established,
            TcpState.SynSent or TcpState.SynSent2 => isReply ? TcpState.SynRecv : TcpState.Established,
            TcpState.SynRecv when !isReply => TcpState.Established,
            TcpState.FinWait when isReply == ((signs & SeenDirections.Fin) != 0) => TcpState.CloseWait,
            TcpState.LastAck => TcpState.TimeWait,
            _ => state,
        };
    }

    private static TcpState AfterSyn(TcpState state, bool isAnswer, bool isReply) => (state, isAnswer) switch
    {
        (TcpState.None or TcpState.SynSent or TcpState.SynSent2, true) => TcpState.SynRecv,
        (TcpState.None, false) => TcpState.SynSent,
        (TcpState.SynSent, false) when isReply => TcpState.SynSent2,
        _ => state,
    };
}
