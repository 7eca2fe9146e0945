using System.Diagnostics;
using System.Globalization;
using Conntracker.Core.Feeds;
using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;
using Conntracker.Core.Tracing.Iptables;
using Conntracker.Tests.Live.Support;
using Xunit;
using static Tmds.Linux.LibC;

namespace Conntracker.Tests.Live;

/// <summary>The trace of iptables-legacy reaches every capture that asks for it, and nobody else is disturbed for longer than that.</summary>
public sealed class NflogSocketsTests
{
    private const int Port = 41000;

    [Theory]
    [InlineData(FlowFamily.IPv4, TracedHost.AcceptedPort)]
    [InlineData(FlowFamily.IPv4, TracedHost.DroppedPort)]
    [InlineData(FlowFamily.IPv6, TracedHost.AcceptedPort)]
    [InlineData(FlowFamily.IPv6, TracedHost.DroppedPort)]
    public void Every_step_of_a_packet_arrives_in_order(FlowFamily family, int port)
    {
        using TracedHost host = new();
        using Wakeup arrived = new();
        using NflogSubscriber tap = Attach(host, arrived);
        using Logger logger = new(host);

        host.Send(family, Port, port);

        Expect(tap, TracedHost.Steps(family, Port, port));
        Assert.Equal((0, null), (tap.TakeLost(), tap.Error));
    }

    [Fact]
    public void Two_captures_have_all_lines_and_one_goes_on_when_the_other_ends()
    {
        using TracedHost host = new();
        using Wakeup arrived = new();
        using NflogSubscriber first = Attach(host, arrived);
        using NflogSubscriber second = Attach(host, arrived);
        using Logger logger = new(host);

        host.Send(FlowFamily.IPv4, Port, TracedHost.AcceptedPort);
        string[] steps = TracedHost.Steps(FlowFamily.IPv4, Port, TracedHost.AcceptedPort);
        Expect(first, steps);
        Expect(second, steps);

        first.Dispose();
        host.Send(FlowFamily.IPv4, Port, TracedHost.AcceptedPort);
        Expect(second, steps);
        Assert.False(first.TryRead(out _));

        // The last one gives the group back.
        second.Dispose();
        host.Namespace.Do(() => new NflogSource().Dispose());
    }

    [Fact]
    public void Captures_of_two_namespaces_have_their_own_lines_only()
    {
        using TracedHost host = new();
        using TracedHost other = new();
        using Wakeup arrived = new();
        using NflogSubscriber here = Attach(host, arrived);
        using NflogSubscriber there = Attach(other, arrived);
        using Logger logger = new(host);
        using Logger otherLogger = new(other);

        host.Send(FlowFamily.IPv4, Port, TracedHost.AcceptedPort);
        other.Send(FlowFamily.IPv4, Port + 1, TracedHost.DroppedPort);

        Expect(here, TracedHost.Steps(FlowFamily.IPv4, Port, TracedHost.AcceptedPort));
        Expect(there, TracedHost.Steps(FlowFamily.IPv4, Port + 1, TracedHost.DroppedPort), Port + 1);
    }

    [Fact]
    public void A_group_that_another_program_holds_is_said_to_be_busy()
    {
        using TracedHost host = new();
        using Wakeup arrived = new();
        using (NflogSource other = host.Namespace.Do(() => new NflogSource()))
        {
            ConntrackException error = Assert.Throws<ConntrackException>(() => Attach(host, arrived).Dispose());
            Assert.Equal(ConntrackErrorReason.NflogBusy, error.Reason);
            Assert.Contains(string.Create(CultureInfo.InvariantCulture, $"netlink port {other.PortId}"), error.Message, StringComparison.Ordinal);
        }

        // What failed has left nothing behind that would stand in the way.
        Attach(host, arrived).Dispose();
    }

    [Fact]
    public void A_tap_that_nobody_reads_loses_lines_counts_them_and_does_not_harm_the_other()
    {
        const int Sent = 200;
        using TracedHost host = new();
        using Wakeup arrived = new();
        using NflogSubscriber small = host.Namespace.Do(() => NflogSockets.Attach(host.Namespace.Id, arrived, 16 << 10));
        using NflogSubscriber large = Attach(host, arrived);
        using Logger logger = new(host);

        host.Send(FlowFamily.IPv4, Port, TracedHost.DroppedPort, Sent);

        int steps = TracedHost.Steps(FlowFamily.IPv4, Port, TracedHost.DroppedPort).Length * Sent;
        int inLarge = 0;
        Eventually.Equal(() => steps, () => inLarge += TracedHost.Take(large, Port).Count);
        int inSmall = TracedHost.Take(small, Port).Count;
        Assert.InRange(inSmall, 10, 200);
        Assert.Equal((steps - inSmall, 0), (small.TakeLost(), small.TakeLost()));
        Assert.Equal(0, large.TakeLost());
    }

    [Fact]
    public void In_a_flood_every_line_is_either_there_or_counted_as_lost()
    {
        const int Sent = 60_000;
        using TracedHost host = new();
        using Wakeup arrived = new();
        using NflogSubscriber tap = Attach(host, arrived);
        using Logger logger = new(host);

        Thread sender = new(() => host.Send(FlowFamily.IPv4, Port, TracedHost.DroppedPort, Sent));
        long started = Stopwatch.GetTimestamp();
        sender.Start();
        long steps = TracedHost.Steps(FlowFamily.IPv4, Port, TracedHost.DroppedPort).Length * (long)Sent;
        long taken = 0;
        long lost = 0;
        Eventually.Equal(() => steps, () => (taken += TracedHost.Count(tap, Port)) + (lost += tap.TakeLost()));
        TestContext.Current.SendDiagnosticMessage(string.Create(
            CultureInfo.InvariantCulture, $"{steps} lines in {Stopwatch.GetElapsedTime(started).TotalSeconds:f1} s: {taken} taken, {lost} lost"));
        sender.Join();
        Assert.True(taken > steps / 100);
    }

    [Fact]
    public void What_the_kernel_could_not_queue_is_counted_to_the_line()
    {
        const int Sent = 300;
        using TracedHost host = new();
        using NflogSource source = host.Namespace.Do(() => new NflogSource(64 << 10));
        using Logger logger = new(host);
        NflogSequence sequence = new();
        int lines = TracedHost.Steps(FlowFamily.IPv4, Port, TracedHost.DroppedPort).Length;

        // The first is read at once; then the buffer overruns; the last comes when there is room again.
        host.Send(FlowFamily.IPv4, Port, TracedHost.DroppedPort);
        (int taken, long lost) = Drain(host, source, sequence);
        Assert.Equal((lines, 0), (taken, lost));
        host.Send(FlowFamily.IPv4, Port, TracedHost.DroppedPort, Sent);
        (int queued, long atOnce) = Drain(host, source, sequence);
        Assert.InRange(queued, 1, (Sent * lines) - 1);
        Assert.Equal(Sent * lines, queued + atOnce);
        host.Send(FlowFamily.IPv4, Port, TracedHost.DroppedPort);
        Assert.Equal((lines, 0), Drain(host, source, sequence));
    }

    [Fact]
    public void Nothing_runs_on_when_the_last_capture_has_ended()
    {
        using TracedHost host = new();
        using Wakeup arrived = new();
        int before = Descriptors();
        for (int i = 0; i < 20; i++)
        {
            using NflogSubscriber tap = Attach(host, arrived);
        }

        // Other threads of the test run open and close some meanwhile; what each capture left would be 40 and more.
        Assert.InRange(Descriptors(), 0, before + 15);
        Eventually.True("the end of the last thread", () => !Threads().Any(each => each.StartsWith("conntracker nfl", StringComparison.Ordinal)));
    }

    private static (int Lines, long Lost) Drain(TracedHost host, NflogSource source, NflogSequence sequence) => host.Namespace.Do(() =>
    {
        (int all, long lost) = (0, 0L);
        int received;
        while ((received = source.Receive()) > 0 || received == -ENOBUFS)
        {
            lost += received < 0 ? sequence.Overrun(source.TakeDrops()) : 0;
            for (int i = 0; i < received; i++)
            {
                lost += sequence.Take(source.Batch[i], out int lines);
                all += lines;
            }
        }

        return (all, lost);
    });

    private static int Descriptors() => Directory.GetFileSystemEntries("/proc/self/fd").Length;

    private static IEnumerable<string> Threads() => Directory.GetDirectories("/proc/self/task").Select(each =>
    {
        try
        {
            return File.ReadAllText(Path.Join(each, "comm"));
        }
        catch (IOException)
        {
            // It has ended meanwhile.
            return "";
        }
    });

    private static NflogSubscriber Attach(TracedHost host, Wakeup arrived)
    {
        NetworkNamespaceId id = host.Namespace.Id;
        return host.Namespace.Do(() => NflogSockets.Attach(id, arrived));
    }

    private static void Expect(NflogSubscriber tap, string[] steps, int srcPort = Port)
    {
        List<string> taken = [];
        Eventually.Equal(
            () => string.Join('\n', steps),
            () =>
            {
                taken.AddRange(TracedHost.Take(tap, srcPort));
                return string.Join('\n', taken);
            });
    }

    /// <summary>Has the namespace log to NFLOG.</summary>
    private sealed class Logger : IDisposable
    {
        private readonly TracedHost _host;
        private readonly SettingsLease _lease;

        public Logger(TracedHost host)
        {
            _host = host;
            NetworkNamespaceId id = host.Namespace.Id;
            _lease = host.Namespace.Do(() => PacketLoggerLease.Acquire(PacketLogger.Nflog, id));
        }

        public void Dispose() => _host.Namespace.Do(_lease.Dispose);
    }
}
