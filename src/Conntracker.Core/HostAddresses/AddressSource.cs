using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// The host's own addresses from rtnetlink: the addresses of its interfaces, and the routes that deliver to the host itself (a whole subnet can be
/// its own). Three dumps come first, one after the other; then notifications. A router's hundreds of thousands of other routes are never
/// requested, and a socket filter drops notifications about them before they wake the thread.
/// </summary>
internal sealed class AddressSource : IDisposable
{
    // A dump that changes interrupted may be incomplete and is repeated, but not without limit on a host that changes all the time.
    private const int MaximumRepeats = 3;

    // How many overruns in a row one call of Receive answers with a new dump.
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

    /// <summary>True until the initial dump is complete.</summary>
    public bool IsReading { get; private set; }

    /// <summary>
    /// Opens the source in the calling thread's network namespace, and requests the dumps. Before Linux 4.20 it reports no routes.
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

    /// <summary>Receives what is queued, without waiting. After an overrun all dumps are requested again.</summary>
    /// <param name="batch">Receives the datagrams; its buffers must hold those of a dump.</param>
    /// <returns>The number of datagrams; 0 if nothing was queued.</returns>
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

    // The kernel allows one dump at a time for a socket: the next one must wait until this one has ended.
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

    // A kernel that refuses to dump the routes has dumped the addresses by now.
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

    // False once everything was requested. The table local holds the routes that the kernel derives from addresses. Local routes of other tables are
    // requested by their type: the kernel looks at every route for that, but sends only those.
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
