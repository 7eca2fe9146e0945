using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>Filters of pcap-filter(7).</summary>
public sealed class FilterTests
{
    private static readonly IPEndPoint s_client = new(IPAddress.Loopback, 40001);

    [Theory]
    [InlineData("lo")]
    [InlineData("any")]
    public void Only_what_passes_the_filter_is_there(string device)
    {
        using TestNamespace host = new();
        using LiveCapture live = PacketCapture.Start(host, device, "udp dst port 5001 or icmp[icmptype] = icmp-echo");

        TestClient.Send(host, FlowProtocol.Udp, s_client, new IPEndPoint(IPAddress.Loopback, 5000));
        TestClient.Send(host, FlowProtocol.Tcp, s_client, new IPEndPoint(IPAddress.Loopback, 5001));
        TestClient.Exchange(host, FlowProtocol.Icmp, s_client, new IPEndPoint(IPAddress.Loopback, 0));
        TestClient.Send(host, FlowProtocol.Udp, s_client, new IPEndPoint(IPAddress.Loopback, 5001));

        live.FlowTo(5001);
        live.Stop();
        Assert.Equal(["Icmp 1 0", "Udp 1 0"], live.Flows.Select(flow => $"{flow.Protocol} {flow.Packets} {flow.ReplyPackets}").Order(StringComparer.Ordinal));
        Assert.Equal((2, 0), (live.Capture.Packets, live.Capture.PacketsSkipped));
    }

    [Theory]
    [InlineData("tcp prot 443", "syntax error")]
    [InlineData("port 70000", "70000")]
    [InlineData("host 192.0.2.999", "192.0.2.999")]
    [InlineData("ip proto nonsense", "nonsense")]
    public void A_filter_with_a_mistake_is_an_error_in_the_words_of_libpcap(string filter, string word)
    {
        using TestNamespace host = new();

        ConntrackException error = Assert.Throws<ConntrackException>(() => PacketCapture.Start(host, "lo", filter));

        Assert.Equal(ConntrackErrorReason.FilterInvalid, error.Reason);
        Assert.Contains($"'{filter}'", error.Message, StringComparison.Ordinal);
        Assert.Contains(word, error.Message[error.Message.IndexOf($"'{filter}'", StringComparison.Ordinal)..][(filter.Length + 2)..], StringComparison.Ordinal);
    }

    [Fact]
    public void The_protocols_that_were_asked_for_are_kept_and_no_others()
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(
            new CaptureOptions { NetworkNamespace = host.Name, Source = CaptureSource.Packet, Interface = "lo", Protocols = [FlowProtocol.Udp] });

        TestClient.Exchange(host, FlowProtocol.Icmp, s_client, new IPEndPoint(IPAddress.Loopback, 0));
        TestClient.Send(host, FlowProtocol.Udp, s_client, new IPEndPoint(IPAddress.Loopback, 5001));

        live.FlowTo(5001);
        Assert.Single(live.Flows);
    }
}
