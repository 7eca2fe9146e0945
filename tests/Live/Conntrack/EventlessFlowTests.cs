using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Recording;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>
/// Connections for which the kernel makes no event, because nobody listened when they began: long-lived ones, which one audits. Switching
/// nf_conntrack_events off while they begin has the same effect, and is not hidden by another listener on the host.
/// </summary>
public sealed class EventlessFlowTests
{
    private static readonly IPEndPoint s_server = new(IPAddress.Loopback, 5001);
    private static readonly IPEndPoint s_client = new(IPAddress.Loopback, 40001);

    [Fact]
    public void A_connection_from_before_the_capture_is_shown_as_the_kernel_has_it_and_closed_when_it_is_gone()
    {
        using TestNamespace host = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Tcp, s_server.Address, s_server.Port);
        using Socket before = Open(host);
        using LiveCapture live = LiveCapture.Start(host);
        Flow open = live.Flows.Single();
        Assert.Equal((FlowState.Assured, TcpState.Established, 1L), (open.State, open.TcpState!.Value, live.Capture.EventlessFlows));

        before.Dispose();
        Eventually.True("the kernel has closed it", () => !ConntrackEntry.List(host).Contains("ESTABLISHED", StringComparison.Ordinal));
        Assert.Equal(ConntrackEntry.List(host), ConntrackEntry.ListOpen(live.Capture));
        Assert.NotEqual(TcpState.Established, live.Flows.Single().TcpState);

        host.Run("conntrack", "-D", "-p", "tcp");
        Assert.Equal((FlowState.Closed, 0L, 0L), (live.Flows.Single().State, live.Capture.EventlessFlows, live.Capture.Events));
    }

    [Fact]
    public void Who_only_reads_the_log_at_the_end_sees_that_the_connection_is_gone()
    {
        using TestNamespace host = new();
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Tcp, s_server.Address, s_server.Port);
        using Socket before = Open(host);
        using LiveCapture live = LiveCapture.Start(host);
        host.Run("conntrack", "-D", "-p", "tcp");

        live.Stop();

        Assert.Equal((FlowState.Closed, 0L), (live.Flows.Single().State, live.Capture.Events));
    }

    [Fact]
    public void A_connection_of_which_events_tell_costs_no_further_look_at_the_table()
    {
        using TestNamespace host = new();
        using LiveCapture tracking = LiveCapture.Start(host);
        using EchoServer? echo = EchoServer.Start(host, FlowProtocol.Tcp, s_server.Address, s_server.Port);
        string recording = Path.Combine(Path.GetTempPath(), $"{host.Name}.ctrec");
        try
        {
            using (LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, RecordPath = recording }))
            {
                TestClient.Exchange(host, FlowProtocol.Tcp, s_client, s_server);
                Eventually.Equal(() => ConntrackEntry.List(host), () => ConntrackEntry.ListOpen(live.Capture));
                live.Stop();
                Assert.Equal(0, live.Capture.EventlessFlows);
            }

            Assert.Equal(1, DumpsIn(recording));
        }
        finally
        {
            File.Delete(recording);
        }
    }

    private static Socket Open(TestNamespace host)
    {
        host.LoadRules("""
            table inet users {
              chain everything {
                ct state new
              }
            }
            """);
        host.WriteSetting("netfilter/nf_conntrack_events", "0");
        Socket opened = TestClient.Open(host, FlowProtocol.Tcp, s_client, s_server);
        Eventually.True("the kernel tracks it", () => ConntrackEntry.List(host).Contains("ESTABLISHED", StringComparison.Ordinal));
        host.WriteSetting("netfilter/nf_conntrack_events", "2");
        return opened;
    }

    private static int DumpsIn(string path)
    {
        using RecordingReader recording = RecordingReader.Open(path);
        int dumps = 0;
        while (recording.Read())
        {
            dumps += recording.Kind == MessageKind.DumpRequested ? 1 : 0;
        }

        return dumps;
    }
}
