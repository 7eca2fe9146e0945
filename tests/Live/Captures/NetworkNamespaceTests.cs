using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

public sealed class NetworkNamespaceTests
{
    [Fact]
    public void Only_the_captures_own_threads_enter_its_namespace()
    {
        using TestNamespace host = new();
        string home = Namespace("self");
        string there = host.Do(() => Namespace("thread-self"));

        // Threads of the tests before this one may still be on their way out of their namespaces.
        Eventually.Equal(() => 0, () => Threads().Count(each => each != home));

        using LiveCapture live = LiveCapture.Start(host);

        // The capture's thread and the one that reads dumps for it.
        Assert.InRange(Threads().Count(each => each == there), 1, 2);
        Assert.All(Threads().Where(each => each != there), each => Assert.Equal(home, each));
        Assert.Equal(home, Namespace("self"));
        Assert.Equal(home, Namespace("thread-self"));

        live.Stop();
        Eventually.Equal(() => 0, () => Threads().Count(each => each == there));
    }

    [Fact]
    public void Captures_in_two_namespaces_see_each_its_own()
    {
        using TestNamespace one = new();
        using TestNamespace other = new();
        using LiveCapture liveOne = LiveCapture.Start(one);
        using LiveCapture liveOther = LiveCapture.Start(other);

        TestClient.Exchange(one, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 1), new IPEndPoint(IPAddress.Loopback, 0));
        TestClient.Exchange(other, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 2), new IPEndPoint(IPAddress.Loopback, 0));

        Eventually.Equal(() => 1, () => (int)(liveOne.Flows.SingleOrDefault()?.IcmpId ?? 0));
        Eventually.Equal(() => 2, () => (int)(liveOther.Flows.SingleOrDefault()?.IcmpId ?? 0));
    }

    [Fact]
    public void A_path_names_a_namespace_as_well()
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = $"/run/netns/{host.Name}" });

        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 1), new IPEndPoint(IPAddress.Loopback, 0));

        Eventually.Equal(() => 1, () => live.Flows.Count);
    }

    [Theory]
    [InlineData("conntracker-test-missing")]
    [InlineData("/proc/self/ns/mnt")]
    [InlineData("/etc/hostname")]
    public void A_namespace_that_there_is_not_is_named_in_the_error(string name)
    {
        TestNamespace.NeedRoot();

        ConntrackException error = Assert.Throws<ConntrackException>(() => CaptureRegistry.Start(null, new CaptureOptions { NetworkNamespace = name }));

        Assert.Equal(ConntrackErrorReason.NamespaceNotFound, error.Reason);
        Assert.Contains(name, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_namespace_that_is_deleted_meanwhile_does_not_end_the_capture_and_its_flows_stay()
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(host);
        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 1), new IPEndPoint(IPAddress.Loopback, 0));
        Eventually.Equal(() => 1, () => live.Flows.Count);

        Tool.Run("ip", "netns", "delete", host.Name);

        Assert.Equal(CaptureState.Running, live.Capture.State);
        live.Stop();
        Assert.Single(live.Flows);
    }

    private static string[] Threads() =>
        [.. Directory.GetDirectories("/proc/self/task").Select(each => TryNamespace($"self/task/{Path.GetFileName(each)}")).OfType<string>()];

    private static string Namespace(string process) => TryNamespace(process)!;

    // A thread may end meanwhile.
    private static string? TryNamespace(string process)
    {
        try
        {
            return new FileInfo($"/proc/{process}/ns/net").LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
