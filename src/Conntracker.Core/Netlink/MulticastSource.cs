using Conntracker.Core.Native;
using static Conntracker.Core.Native.ConntrackConstants;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Netlink;

/// <summary>
/// What the kernel tells to the members of multicast groups of netfilter. When the buffer overruns, the kernel sends nothing more
/// until the queue was read to its end, so what repairs must begin only then.
/// </summary>
internal sealed class MulticastSource : IDisposable
{
    private readonly NetlinkSocket _socket;
    private readonly int[] _groups;

    private MulticastSource(string name, int[] groups, int bufferSize, DatagramBatch batch)
    {
        _groups = groups;
        Batch = batch;
        _socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, name);
        try
        {
            BufferSize = _socket.SetReceiveBuffer(bufferSize);
            foreach (int group in groups)
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
    public DatagramBatch Batch { get; }

    /// <summary>The receive buffer that the kernel granted, in bytes.</summary>
    public int BufferSize { get; }

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => _socket.Number;

    /// <summary>The kernel's cookie of the network namespace.</summary>
    public ulong NamespaceCookie => _socket.NamespaceCookie();

    /// <summary>
    /// The events of connection tracking, in the calling thread's network namespace: NEW, UPDATE and DESTROY, one message a datagram of
    /// about 230 bytes; helpers, labels and security contexts make the longest ones.
    /// </summary>
    /// <param name="bufferSize">The receive buffer, in bytes.</param>
    /// <exception cref="ConntrackException">No privilege, or no netlink interface of conntrack in this kernel.</exception>
    public static MulticastSource OpenConntrackEvents(int bufferSize) => new(
        "conntrack events", [NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY], bufferSize, new DatagramBatch(capacity: 128, size: 4096));

    /// <summary>
    /// What nftables reports of traced packets, about 300 bytes a message, and what changes in the ruleset, where several rules come in
    /// one datagram. Both by one socket, so that a report and the change before it are read in the order in which they happened.
    /// </summary>
    /// <param name="bufferSize">The receive buffer, in bytes.</param>
    /// <exception cref="ConntrackException">No privilege, or a kernel without nf_tables.</exception>
    public static MulticastSource OpenNftablesTrace(int bufferSize) => new(
        "nftables traces", [NFNLGRP_NFTABLES, NFNLGRP_NFTRACE], bufferSize, new DatagramBatch(capacity: 256, size: 8192));

    /// <summary>Receives what is queued, without waiting.</summary>
    /// <returns>How many datagrams came; the negative error number when none did: -ENOBUFS tells an overrun.</returns>
    public int Receive() => Batch.Receive(_socket.Descriptor);

    /// <summary>Stops the kernel from queueing more; what is queued can still be read.</summary>
    public void Leave()
    {
        foreach (int group in _groups)
        {
            _socket.Leave(group);
        }
    }

    /// <summary>
    /// How many messages the kernel could not queue since the last call; null when it does not tell. Asked on a thread of the
    /// socket's own network namespace.
    /// </summary>
    public long? TakeDrops() => _socket.TakeDrops();

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        Batch.Dispose();
    }
}
