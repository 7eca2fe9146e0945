using Conntracker.Core.Native;
using static Conntracker.Core.Native.ConntrackConstants;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Netlink;

/// <summary>
/// Receives messages of netfilter's multicast groups. After the buffer overran, the kernel sends nothing more until the queue was read to its end:
/// a repair must not begin before that.
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
    /// The events of connection tracking, in the calling thread's network namespace: NEW, UPDATE and DESTROY, one message of about 230 bytes
    /// per datagram. Helpers, labels and security contexts make the longest ones.
    /// </summary>
    /// <param name="bufferSize">The receive buffer, in bytes.</param>
    /// <exception cref="ConntrackException">A privilege is missing, or the kernel has no netlink interface of conntrack.</exception>
    public static MulticastSource OpenConntrackEvents(int bufferSize) => new(
        "conntrack events", [NFNLGRP_CONNTRACK_NEW, NFNLGRP_CONNTRACK_UPDATE, NFNLGRP_CONNTRACK_DESTROY],
        bufferSize, new DatagramBatch(capacity: 128, size: 4096));

    /// <summary>
    /// The reports of nftables about traced packets, about 300 bytes each, and about changes in the ruleset, several rules to a datagram. One socket
    /// receives both, so that a report and the change before it are read in the order in which they happened.
    /// </summary>
    /// <param name="bufferSize">The receive buffer, in bytes.</param>
    /// <exception cref="ConntrackException">A privilege is missing, or the kernel has no nf_tables.</exception>
    public static MulticastSource OpenNftablesTrace(int bufferSize) => new(
        "nftables traces", [NFNLGRP_NFTABLES, NFNLGRP_NFTRACE], bufferSize, new DatagramBatch(capacity: 256, size: 8192));

    /// <summary>Receives what is queued, without waiting.</summary>
    /// <returns>The number of datagrams; the negative error number if there were none: -ENOBUFS means an overrun.</returns>
    public int Receive() => Batch.Receive(_socket.Descriptor);

    /// <summary>Leaves the groups: the kernel queues nothing more, and what is queued can still be read.</summary>
    public void Leave()
    {
        foreach (int group in _groups)
        {
            _socket.Leave(group);
        }
    }

    /// <summary>
    /// How many messages the kernel could not queue since the last call; null if the kernel does not report it. Call it on a thread of the
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
