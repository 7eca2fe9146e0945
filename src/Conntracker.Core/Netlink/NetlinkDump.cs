using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Netlink;

/// <summary>
/// Dumps on a separate socket. The kernel builds the next part when the last one was read, so a dump never overruns and is as fast as its
/// reader.
/// </summary>
internal sealed class NetlinkDump : IDisposable
{
    private const int BatchCapacity = 4;

    // The kernel fills the reader's buffer, up to 32 KiB.
    private const int DatagramSize = 32 * 1024;

    private readonly NetlinkSocket _socket;
    private uint _sequence;

    private NetlinkDump(NetlinkSocket socket) => _socket = socket;

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => _socket.Number;

    /// <summary>Opens a socket for dumps of conntrack's table, in the calling thread's network namespace.</summary>
    public static NetlinkDump OpenConntrack() => new(NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "conntrack dumps"));

    /// <summary>Requests conntrack's table, both families.</summary>
    public void RequestConntrack() => Request(
        (ConntrackConstants.NFNL_SUBSYS_CTNETLINK << 8) | ConntrackConstants.IPCTNL_MSG_CT_GET,
        new nfgenmsg { version = ConntrackConstants.NFNETLINK_V0 });

    /// <summary>Opens a socket for dumps of nftables' rules, in the calling thread's network namespace.</summary>
    public static NetlinkDump OpenNftables() => new(NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "nftables rules"));

    /// <summary>Asks for all objects of a kind, of all families.</summary>
    /// <param name="message">NFT_MSG_GET*.</param>
    public void RequestNftables(int message) =>
        Request((NftablesConstants.NFNL_SUBSYS_NFTABLES << 8) | message, new nfgenmsg { version = ConntrackConstants.NFNETLINK_V0 });

    /// <summary>Buffers that fit a dump's datagrams.</summary>
    public static DatagramBatch NewBatch() => new(BatchCapacity, DatagramSize);

    /// <summary>Receives what is queued, without waiting.</summary>
    /// <returns>The number of datagrams; the negative error number if there were none.</returns>
    public int Receive(DatagramBatch batch) => batch.Receive(_socket.Descriptor);

    /// <summary>Waits for datagrams and receives them.</summary>
    /// <returns>The number of datagrams; the negative error number if the kernel refused.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public int WaitAndReceive(DatagramBatch batch, CancellationToken cancellation)
    {
        const int LookAtTokenEvery = 100;
        int received = Receive(batch);
        while (received == -EAGAIN || received == -EINTR)
        {
            cancellation.ThrowIfCancellationRequested();
            _ = Poll.IsReadable(Number, LookAtTokenEvery);
            received = Receive(batch);
        }

        return received;
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private void Request<THeader>(int type, THeader header)
        where THeader : unmanaged
    {
        Span<byte> buffer = stackalloc byte[64];
        NetlinkWriter writer = new(buffer);
        writer.BeginMessage(type, NetlinkConstants.NLM_F_REQUEST | NetlinkConstants.NLM_F_DUMP, ++_sequence);
        writer.WriteStruct(header);
        writer.EndMessage();
        _socket.Send(writer.Written);
    }
}
