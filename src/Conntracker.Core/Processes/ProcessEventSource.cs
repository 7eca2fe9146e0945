using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Processes;

/// <summary>
/// The proc connector: reports every fork, exec and renaming of a process of the host. Only the initial network namespace has it.
/// </summary>
internal sealed class ProcessEventSource : IDisposable
{
    private const int BatchCapacity = 64;
    private const int DatagramSize = 256;
    private const int WantedBuffer = 4 << 20;

    private readonly NetlinkSocket _socket;
    private long _dropsSeen;

    /// <summary>Opens the source; events are queued from here on.</summary>
    /// <exception cref="ConntrackException">No privilege, or a kernel without the connector.</exception>
    public ProcessEventSource()
    {
        _socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_CONNECTOR, "process events");
        try
        {
            _socket.SetReceiveBuffer(WantedBuffer);
            _socket.Join((int)ConnectorConstants.CN_IDX_PROC);
            Send(ConnectorConstants.PROC_CN_MCAST_LISTEN);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The datagrams of the last <see cref="Receive"/>.</summary>
    public DatagramBatch Batch { get; } = new(BatchCapacity, DatagramSize);

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => _socket.Number;

    /// <summary>Receives what is queued, without waiting.</summary>
    /// <returns>How many datagrams came; the negative error number when none did: -ENOBUFS is an overrun.</returns>
    public int Receive() => Batch.Receive(_socket.Descriptor);

    /// <summary>
    /// How many events the kernel could not queue since the last call, by its own count; null when the kernel does not report it. For a thread in the
    /// network namespace in which the source was opened.
    /// </summary>
    public long? TakeDrops()
    {
        if (NetlinkSocketDrops.Read(NetlinkSocketDrops.Path, NetlinkConstants.NETLINK_CONNECTOR, _socket.PortId) is not long drops)
        {
            return null;
        }

        long fresh = drops - _dropsSeen;
        _dropsSeen = drops;
        return fresh;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        try
        {
            // Before Linux 6.6 the kernel would continue to build events without listeners.
            Send(ConnectorConstants.PROC_CN_MCAST_IGNORE);
        }
        catch (ConntrackException)
        {
            // It never listened, or the kernel has no buffer: there is nothing else to do.
        }

        _socket.Dispose();
        Batch.Dispose();
    }

    private void Send(uint operation)
    {
        Span<byte> buffer = stackalloc byte[64];
        NetlinkWriter writer = new(buffer);
        writer.BeginMessage(NetlinkConstants.NLMSG_DONE, 0, 0);
        writer.WriteStruct(new cn_msg
        {
            id = new cb_id { idx = ConnectorConstants.CN_IDX_PROC, val = ConnectorConstants.CN_VAL_PROC },
            len = sizeof(uint),
        });
        writer.WriteStruct(operation);
        writer.EndMessage();
        _socket.Send(writer.Written);
    }
}
