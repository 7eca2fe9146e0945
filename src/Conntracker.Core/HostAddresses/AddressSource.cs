using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// Which addresses are the host's own, told by rtnetlink: the addresses of its interfaces, and the routes that deliver to the host itself
/// (a whole subnet can be its own). First what there is, in three dumps, one after the other; then what comes. The routes that a router has by the
/// hundred thousand are never asked for, and a filter keeps their changes from waking anybody.
/// </summary>
internal sealed class AddressSource : IDisposable
{
    // A dump during which something changed may lack what did not: again, but a host that changes all the time is not asked for ever.
    private const int MaximumRepeats = 3;

    // Each time the buffer overran.
    private const int MaximumOverruns = 16;

    private readonly NetlinkSocket _socket;
    private readonly bool _hasRoutes;
    private uint _sequence;
    private int _step;
    private int _repeats;
    private bool _isIncomplete;

    private AddressSource(NetlinkSocket socket)
    {
        _socket = socket;
        _hasRoutes = socket.TryUseStrictRequests() && socket.TryFilter(RouteFilter.Instructions);
        socket.Join(NetlinkConstants.RTNLGRP_IPV4_IFADDR);
        socket.Join(NetlinkConstants.RTNLGRP_IPV6_IFADDR);
        if (_hasRoutes)
        {
            socket.Join(RouteConstants.RTNLGRP_IPV4_ROUTE);
            socket.Join(RouteConstants.RTNLGRP_IPV6_ROUTE);
        }

        Begin();
    }

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => _socket.Number;

    /// <summary>Whether what there is has not come to its end yet.</summary>
    public bool IsReading { get; private set; }

    /// <summary>
    /// Opens it in the calling thread's network namespace, and asks for what there is. Before Linux 4.20 it tells no routes.
    /// </summary>
    /// <exception cref="ConntrackException">The kernel refused.</exception>
    public static AddressSource Open()
    {
        NetlinkSocket socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_ROUTE, "interface addresses");
        try
        {
            return new AddressSource(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Receives what is there, without waiting. After an overrun everything is asked for again.</summary>
    /// <param name="batch">Gets the datagrams; fits those of a dump.</param>
    /// <returns>How many datagrams came; 0 when there is nothing.</returns>
    public int Receive(DatagramBatch batch)
    {
        int received = batch.Receive(_socket.Descriptor);
        for (int overruns = 0; received == -ENOBUFS && overruns < MaximumOverruns; overruns++)
        {
            Repeat();
            received = batch.Receive(_socket.Descriptor);
        }

        for (int i = 0; i < received; i++)
        {
            Look(batch[i]);
        }

        return Math.Max(0, received);
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    // A second dump can be asked for when the first one has ended: the kernel has one at a time for a socket.
    private void Repeat()
    {
        _repeats = 0;
        if (IsReading)
        {
            _isIncomplete = true;
        }
        else
        {
            Begin();
        }
    }

    private void Begin()
    {
        _step = 0;
        _isIncomplete = false;
        IsReading = true;
        RequestNext();
    }

    private void Look(ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            if (!IsReading || message.Sequence != _sequence)
            {
                continue;
            }

            _isIncomplete |= (message.Flags & NetlinkConstants.NLM_F_DUMP_INTR) != 0;
            if (message.Type is NetlinkConstants.NLMSG_DONE or NetlinkConstants.NLMSG_ERROR)
            {
                EndStep();
            }
        }
    }

    // A kernel that refuses the routes has told the addresses.
    private void EndStep()
    {
        _step++;
        IsReading = RequestNext();
        if (!IsReading && _isIncomplete && _repeats < MaximumRepeats)
        {
            _repeats++;
            Begin();
        }
    }

    // False when everything has been asked for. The table local holds what the kernel makes of addresses; local routes of other tables
    // are found by their type, for which the kernel looks at every route, but sends only those.
    private bool RequestNext()
    {
        switch (_step)
        {
            case 0:
                Request(NetlinkConstants.RTM_GETADDR, default(ifaddrmsg));
                return true;
            case 1 when _hasRoutes:
                Request(RouteConstants.RTM_GETROUTE, new rtmsg { rtm_table = RouteConstants.RT_TABLE_LOCAL });
                return true;
            case 2 when _hasRoutes:
                Request(RouteConstants.RTM_GETROUTE, new rtmsg { rtm_type = RouteConstants.RTN_LOCAL });
                return true;
            default:
                return false;
        }
    }

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
