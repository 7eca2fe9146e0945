using Conntracker.Core.Processes;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Which process a flow names, from frames as a capture makes them.</summary>
public sealed class ProcessJoinTests : IDisposable
{
    private const string Client = "192.0.2.2:40000";
    private const string Server = "198.51.100.2:443";

    private readonly CollectorProbe _probe = new();
    private readonly Conn _conn = new();

    public ProcessJoinTests()
    {
        _probe.Report(1, "curl");
        _probe.Report(2, "nginx");
    }

    public void Dispose() => _probe.Dispose();

    [Fact]
    public void The_client_is_named_when_its_socket_is_told_of_before_the_flow()
    {
        _probe.Sends(1, Client, Server);
        _probe.Event(_conn.New());
        Assert.Equal("curl", _probe.Flow().Process!.Name);
        Assert.Null(_probe.Flow().ReplyProcess);
    }

    [Fact]
    public void The_client_is_named_when_its_socket_is_told_of_after_the_flow()
    {
        _probe.Event(_conn.New());
        _probe.Sends(1, Client, Server);
        Assert.Equal("curl", _probe.Flow().Process!.Name);
    }

    [Fact]
    public void A_server_on_this_host_is_the_process_of_what_comes_in()
    {
        _probe.Event(_conn.New());
        _probe.Receives(2, Client, Server);
        Assert.Equal("nginx", _probe.Flow().Process!.Name);
        Assert.Equal("nginx", _probe.Flow().ReplyProcess!.Name);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Each_direction_of_a_local_connection_has_its_own_process(bool isFlowFirst)
    {
        if (isFlowFirst)
        {
            _probe.Event(_conn.New());
        }

        _probe.Sends(1, Client, Server);
        _probe.Receives(2, Client, Server);
        if (!isFlowFirst)
        {
            _probe.Event(_conn.New());
        }

        Assert.Equal("curl", _probe.Flow().Process!.Name);
        Assert.Equal("nginx", _probe.Flow().ReplyProcess!.Name);
    }

    [Fact]
    public void A_packet_of_the_reply_names_the_right_ends()
    {
        _probe.Event(_conn.New());
        _probe.Sends(2, Server, Client);
        _probe.Receives(1, Server, Client);
        Assert.Equal("curl", _probe.Flow().Process!.Name);
        Assert.Equal("nginx", _probe.Flow().ReplyProcess!.Name);
    }

    [Fact]
    public void The_process_that_accepts_takes_the_place_of_the_one_that_listens()
    {
        _probe.Report(3, "worker");
        _probe.Receives(2, Client, Server);
        _probe.Event(_conn.New());
        _probe.Sends(3, Server, Client);
        Assert.Equal("worker", _probe.Flow().ReplyProcess!.Name);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void The_server_behind_destination_NAT_is_named(bool isFlowFirst)
    {
        Conn translated = _conn with { ReplySrc = "10.0.0.80" };
        if (isFlowFirst)
        {
            _probe.Event(translated.New());
        }

        _probe.Receives(2, Client, "10.0.0.80:443");
        if (!isFlowFirst)
        {
            _probe.Event(translated.New());
        }

        Assert.Equal("nginx", _probe.Flow().ReplyProcess!.Name);
    }

    [Fact]
    public void A_conntrack_zone_does_not_hide_the_process()
    {
        _probe.Event((_conn with { Zone = 7 }).New());
        _probe.Sends(1, Client, Server);
        Assert.Equal("curl", _probe.Flow().Process!.Name);
    }

    [Fact]
    public void A_container_is_named_but_not_when_its_address_is_the_hosts_own()
    {
        _probe.Report(3, "container", scope: SocketScope.Elsewhere);
        _probe.Event(_conn.New());
        _probe.Sends(3, Client, Server, SocketScope.Elsewhere);
        Assert.Equal("container", _probe.Flow().Process!.Name);

        Conn loopback = _conn with { Src = "127.0.0.1", Dst = "127.0.0.1" };
        _probe.Event(loopback.New());
        _probe.Sends(3, "127.0.0.1:40000", "127.0.0.1:443", SocketScope.Elsewhere);
        Assert.Null(_probe.Flows().Single(flow => flow.DstAddress.ToString() == "127.0.0.1").Process);
    }

    [Fact]
    public void Of_two_namespaces_that_claim_the_same_end_neither_is_believed_until_the_captures_own_speaks()
    {
        _probe.Report(3, "container", scope: SocketScope.Elsewhere, space: 7);
        _probe.Report(4, "other", scope: SocketScope.Elsewhere, space: 8);
        _probe.Event(_conn.New());
        _probe.Sends(3, Client, Server, SocketScope.Elsewhere);
        _probe.Sends(4, Client, Server, SocketScope.Elsewhere);
        Assert.Null(_probe.Flow().Process);
        Assert.Equal(1, _probe.Counters.ProcessesUncertain);

        _probe.Sends(3, Client, Server, SocketScope.Elsewhere);
        Assert.Null(_probe.Flow().Process);

        _probe.Sends(1, Client, Server);
        _probe.Sends(4, Client, Server, SocketScope.Elsewhere);
        Assert.Equal("curl", _probe.Flow().Process!.Name);
    }

    [Fact]
    public void Another_process_of_the_same_namespace_takes_the_place_of_the_one_that_listens()
    {
        _probe.Report(3, "listener", scope: SocketScope.Elsewhere, space: 7);
        _probe.Report(4, "worker", scope: SocketScope.Elsewhere, space: 7);
        _probe.Event(_conn.New());
        _probe.Receives(3, Client, Server, SocketScope.Elsewhere);
        _probe.Sends(4, Server, Client, SocketScope.Elsewhere);
        Assert.Equal("worker", _probe.Flow().ReplyProcess!.Name);
    }

    [Fact]
    public void Another_namespace_never_speaks_for_the_flow_of_a_remote_host_to_a_process_of_this_one()
    {
        using CollectorProbe probe = new(AddressRange.Parse("198.51.100.2"));
        probe.Report(2, "nginx");
        probe.Report(3, "container", scope: SocketScope.Elsewhere, space: 7);
        probe.Event(_conn.New());
        probe.Sends(3, Client, Server, SocketScope.Elsewhere);
        probe.Receives(2, Client, Server);
        Assert.Equal(FlowDirection.In, probe.Flow().Direction);
        Assert.Equal("nginx", probe.Flow().Process!.Name);
        Assert.Equal("nginx", probe.Flow().ReplyProcess!.Name);
    }

    [Fact]
    public void A_socket_of_a_namespace_that_could_not_be_looked_at_names_nobody_and_is_counted()
    {
        _probe.Event(_conn.New());
        _probe.Sends(0, Client, Server, SocketScope.Unproven);
        Assert.Null(_probe.Flow().Process);
        Assert.Equal(1, _probe.Counters.ProcessesUncertain);
    }

    [Fact]
    public void What_the_kernel_reported_is_not_replaced_by_a_later_lookup()
    {
        _probe.Report(3, "someone-else", ProcessSource.Diag);
        _probe.Event(_conn.New());
        _probe.Sends(1, Client, Server);
        _probe.Sends(3, Client, Server);
        Assert.Equal(ProcessSource.Bpf, _probe.Flow().Process!.Source);
        Assert.Equal("curl", _probe.Flow().Process!.Name);
    }

    [Fact]
    public void A_process_that_was_never_told_of_is_nobody()
    {
        _probe.Event(_conn.New());
        _probe.Sends(99, Client, Server);
        Assert.Null(_probe.Flow().Process);
    }

    [Fact]
    public void Lost_reports_are_in_the_receipt()
    {
        _probe.Take(MessageKind.SocketOwnersLost, [5, 0, 0, 0, 0, 0, 0, 0]);
        Assert.Equal(5, _probe.Counters.ProcessesLost);
    }

    [Fact]
    public void Damaged_frames_are_counted_and_nothing_else()
    {
        _probe.Take(MessageKind.Process, [1, 2, 3]);
        _probe.Take(MessageKind.SocketOwner, [1, 2, 3]);
        Assert.Equal(2, _probe.Counters.Malformed);
    }

    [Fact]
    public void A_query_asks_for_a_process_by_name_id_and_user()
    {
        _probe.Event(_conn.New());
        _probe.Sends(1, Client, Server);
        _probe.Receives(2, Client, Server);
        Flow flow = _probe.Flow();
        Assert.True(Matches(new FlowQuery { ProcessNames = ["cur*"] }, flow));
        Assert.True(Matches(new FlowQuery { ProcessNames = ["NGINX"] }, flow));
        Assert.True(Matches(new FlowQuery { ProcessIds = [1002] }, flow));
        Assert.True(Matches(new FlowQuery { UserNames = ["al?ce"] }, flow));
        Assert.True(Matches(new FlowQuery { UserNames = ["1000"] }, flow));
        Assert.False(Matches(new FlowQuery { ProcessNames = ["curl"], ProcessIds = [1002] }, flow));
        Assert.False(Matches(new FlowQuery { ProcessNames = ["ssh*"] }, flow));
        Assert.False(new FlowQuery { ProcessNames = ["*"] }.MatchesProcess(null, null));
    }

    private static bool Matches(FlowQuery query, Flow flow) => query.MatchesProcess(flow.Process, flow.ReplyProcess);
}
