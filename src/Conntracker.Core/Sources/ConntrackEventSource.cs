using Conntracker.Core.Native;
using static Conntracker.Core.Native.ConntrackConstants;

namespace Conntracker.Core.Sources;

/// <summary>
/// The events of connection tracking: NEW, UPDATE and DESTROY, one message a datagram. When the buffer overruns, the kernel sends
/// nothing more until the queue was read to its end, so a dump that repairs must begin only then.
/// </summary>
internal sealed class ConntrackEventSource : IDisposable
{
    private const int BatchCapacity = 128;

    // An event has about 230 bytes; helpers, labels and security contexts make the longest ones.
    private const int DatagramSize = 4096;

    private static readonly int[] s_groups = [NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY];

    private readonly NetlinkSocket _socket;
    private long _dropsSeen;

    /// <summary>Opens the source in the calling thread's network namespace; events are queued from here on.</summary>
    /// <param name="bufferSize">The receive buffer, in bytes.</param>
    /// <exception cref="ConntrackException">No privilege, or no netlink interface of conntrack in this kernel.</exception>
    public ConntrackEventSource(int bufferSize)
    {
        _socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "conntrack events");
        try
        {
            BufferSize = _socket.SetReceiveBuffer(bufferSize);
            foreach (int group in s_groups)
            {
                _socket.Join(group);
            }
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>The datagrams of the last <see cref="Receive"/>.</summary>
    public DatagramBatch Batch { get; } = new(BatchCapacity, DatagramSize);

    /// <summary>The receive buffer that the kernel granted, in bytes.</summary>
    public int BufferSize { get; }

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => _socket.Number;

    /// <summary>The kernel's cookie of the network namespace.</summary>
    public ulong NamespaceCookie => _socket.NamespaceCookie();

    /// <summary>Receives what is queued, without waiting.</summary>
    /// <returns>How many datagrams came; the negative error number when none did: -ENOBUFS tells an overrun.</returns>
    public int Receive() => Batch.Receive(_socket.Descriptor);

    /// <summary>Stops the kernel from queueing more; what is queued can still be read.</summary>
    public void Leave()
    {
        foreach (int group in s_groups)
        {
            _socket.Leave(group);
        }
    }

    /// <summary>
    /// How many messages the kernel could not queue since the last call; null when it does not tell. Asked on a thread of the
    /// socket's own network namespace.
    /// </summary>
    public long? TakeDrops()
    {
        if (NetlinkSocketDrops.Read(NetlinkSocketDrops.Path, NetlinkConstants.NETLINK_NETFILTER, _socket.PortId) is not long drops)
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
        _socket.Dispose();
        Batch.Dispose();
    }
}
