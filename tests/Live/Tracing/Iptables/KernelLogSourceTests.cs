using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Tracing.Iptables;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>Where another program holds NFLOG, the kernel's log tells the trace of iptables-legacy.</summary>
public sealed class KernelLogSourceTests
{
    private const string AllNamespaces = "/proc/sys/net/netfilter/nf_log_all_netns";
    private const int Port = 41000;

    [Theory]
    [InlineData(FlowFamily.IPv4)]
    [InlineData(FlowFamily.IPv6)]
    public void Every_step_of_a_packet_is_read_from_the_log(FlowFamily family)
    {
        using TracedHost host = new();
        NetworkNamespaceId id = host.Namespace.Id;
        SettingsLease logger = host.Namespace.Do(() => PacketLoggerLease.Acquire(PacketLogger.KernelLog, id));
        string before = File.ReadAllText(AllNamespaces).Trim();
        try
        {
            // The log of another namespace than the first one; the setting is one for all, and put back.
            File.WriteAllText(AllNamespaces, "1");
            using KernelLogSource source = new();
            Assert.False(source.TryRead(out _), "What was logged before is of no concern.");
            host.Send(family, Port, TracedHost.DroppedPort);

            string[] steps = [.. TracedHost.Steps(family, Port, TracedHost.DroppedPort).Select(each =>
                each.Contains("|services|", StringComparison.Ordinal) ? each.Replace(" 1 filter", " 255 filter", StringComparison.Ordinal) : each)];
            List<string> taken = [];
            Eventually.Equal(() => string.Join('\n', steps), () => string.Join('\n', Take(source, taken)));
            Assert.Equal(0, source.TakeLost());
        }
        finally
        {
            File.WriteAllText(AllNamespaces, before);
            host.Namespace.Do(logger.Dispose);
        }
    }

    private static List<string> Take(KernelLogSource source, List<string> taken)
    {
        while (source.TryRead(out ReadOnlySpan<byte> record))
        {
            if (KernelLogDecoder.Decode(record, out IptablesTraceLine line) == DecodeResult.Decoded && TracedHost.IsFrom(in line, Port))
            {
                taken.Add(TracedHost.Show(in line));
            }
        }

        return taken;
    }
}
