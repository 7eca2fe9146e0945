using System.Buffers.Binary;
using System.Runtime.InteropServices;
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

    /// <summary>Opens a socket for dumps of the sets of ipset, in the calling thread's network namespace.</summary>
    public static NetlinkDump OpenIpSets() => new(NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "the sets of ipset"));

    /// <summary>Requests the names of the sets of ipset. Requires the capability CAP_NET_ADMIN.</summary>
    public void RequestIpSetNames()
    {
        Span<byte> buffer = stackalloc byte[64];
        NetlinkWriter writer = new(buffer);
        const int Type = (IpSetConstants.NFNL_SUBSYS_IPSET << 8) | IpSetConstants.IPSET_CMD_LIST;
        Begin(ref writer, Type, new nfgenmsg { version = ConntrackConstants.NFNETLINK_V0 });
        writer.WriteByte(IpSetConstants.IPSET_ATTR_PROTOCOL, IpSetConstants.IPSET_PROTOCOL_MIN);
        writer.WriteUInt32BigEndian(IpSetConstants.IPSET_ATTR_FLAGS | NetlinkConstants.NLA_F_NET_BYTEORDER, IpSetConstants.IPSET_FLAG_LIST_SETNAME);
        writer.EndMessage();
        _socket.Send(writer.Written);
    }

    /// <summary>Opens a socket for dumps of rtnetlink, in the calling thread's network namespace.</summary>
    /// <param name="name">What is read, in messages.</param>
    public static NetlinkDump OpenRoute(string name) => new(NetlinkSocket.Open(NetlinkConstants.NETLINK_ROUTE, name));

    /// <summary>Requests all interfaces, without their statistics.</summary>
    public void RequestInterfaces()
    {
        Span<byte> buffer = stackalloc byte[64];
        NetlinkWriter writer = new(buffer);
        Begin(ref writer, LinkConstants.RTM_GETLINK, default(ifinfomsg));
        int filter = LinkConstants.RTEXT_FILTER_SKIP_STATS;
        writer.WriteBytes(LinkConstants.IFLA_EXT_MASK, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in filter)));
        writer.EndMessage();
        _socket.Send(writer.Written);
    }

    /// <summary>Requests all addresses, both families.</summary>
    public void RequestAddresses() => Request(NetlinkConstants.RTM_GETADDR, default(ifaddrmsg));

    /// <summary>Requests the routes of all tables, all families.</summary>
    public void RequestRoutes() => Request(RouteConstants.RTM_GETROUTE, default(rtmsg));

    /// <summary>Requests the rules that choose a routing table, all families.</summary>
    public void RequestRoutingRules() => Request(RouteConstants.RTM_GETRULE, default(fib_rule_hdr));

    /// <summary>Receives the answer to the last request, to its end.</summary>
    /// <param name="batch">Receives the datagrams.</param>
    /// <param name="handle">Called with each message of the answer, but not with the one that ends it.</param>
    /// <param name="cancellation">Ends the wait.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public NetlinkDumpEnd ReadToEnd(DatagramBatch batch, MessageHandler handle, CancellationToken cancellation)
    {
        bool isWhole = true;
        while (true)
        {
            int received = WaitAndReceive(batch, cancellation);
            if (received < 0)
            {
                return new NetlinkDumpEnd(-received, isWhole);
            }

            cancellation.ThrowIfCancellationRequested();
            for (int i = 0; i < received; i++)
            {
                isWhole &= !batch.IsTruncated(i);
                NetlinkMessageReader messages = new(batch[i]);
                while (messages.TryRead(out NetlinkMessage message))
                {
                    isWhole &= (message.Flags & NetlinkConstants.NLM_F_DUMP_INTR) == 0;
                    if (message.Type is NetlinkConstants.NLMSG_DONE or NetlinkConstants.NLMSG_ERROR)
                    {
                        int error = message.Payload.Length < sizeof(int) ? 0 : BinaryPrimitives.ReadInt32LittleEndian(message.Payload);
                        return new NetlinkDumpEnd(error < 0 ? -error : 0, isWhole);
                    }

                    handle(in message);
                }
            }
        }
    }

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
        Begin(ref writer, type, header);
        writer.EndMessage();
        _socket.Send(writer.Written);
    }

    private void Begin<THeader>(ref NetlinkWriter writer, int type, THeader header)
        where THeader : unmanaged
    {
        writer.BeginMessage(type, NetlinkConstants.NLM_F_REQUEST | NetlinkConstants.NLM_F_DUMP, ++_sequence);
        writer.WriteStruct(header);
    }
}
