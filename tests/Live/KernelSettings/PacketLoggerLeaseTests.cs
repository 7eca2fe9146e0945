using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;
using Conntracker.Core.Tracing.Iptables;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>Where a namespace logs packets is as it was, whoever traced there and however that ended.</summary>
public sealed class PacketLoggerLeaseTests
{
    [Theory]
    [InlineData("NONE", "NONE")]
    [InlineData("nf_log_ipv4", "nf_log_ipv6")]
    [InlineData("nfnetlink_log", "NONE")]
    public void The_logger_is_put_back_as_it_was(string ipv4, string ipv6)
    {
        using TestNamespace host = new();
        using NflogSource loaded = host.Do(() => new NflogSource());
        Write(host, ipv4, ipv6);
        NetworkNamespaceId id = host.Id;
        foreach ((PacketLogger logger, string expected) in ((PacketLogger, string)[])[(PacketLogger.Nflog, "nfnetlink_log nfnetlink_log"),
            (PacketLogger.KernelLog, "nf_log_ipv4 nf_log_ipv6")])
        {
            SettingsLease lease = host.Do(() => PacketLoggerLease.Acquire(logger, id));
            Assert.Equal(expected, Read(host));
            Assert.True(File.Exists(host.StateFile(PacketLoggerLease.Purpose)));
            host.Do(lease.Dispose);
            Assert.Equal($"{ipv4} {ipv6}", Read(host));
            Assert.False(File.Exists(host.StateFile(PacketLoggerLease.Purpose)));
        }
    }

    [Fact]
    public void What_a_killed_holder_left_is_put_back_by_the_next_capture_in_the_namespace()
    {
        using TestNamespace host = new();
        using NflogSource loaded = host.Do(() => new NflogSource());

        // As a capture leaves it that is killed: the state names a process that is gone.
        Write(host, "nfnetlink_log", "nfnetlink_log");
        string file = host.StateFile(PacketLoggerLease.Purpose);
        using Tool gone = Tool.Start("true");
        gone.Wait();
        Directory.CreateDirectory(SettingsLease.StateDirectory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        File.WriteAllText(file, $$"""
            {
              "Found": { "nf_log/2": "NONE", "nf_log/10": "nf_log_ipv6" },
              "Wanted": { "nf_log/2": "nfnetlink_log", "nf_log/10": "nfnetlink_log" },
              "Holders": [{ "ProcessId": {{gone.Id}}, "ProcessStart": 1, "Capture": "{{Guid.NewGuid()}}" }]
            }
            """);

        using (LiveCapture live = LiveCapture.Start(host))
        {
            Assert.Equal("NONE nf_log_ipv6", Read(host));
            Assert.Contains(live.Capture.Notices, notice => notice.Contains("the logger of traced packets changed", StringComparison.Ordinal));
        }

        Assert.Equal("NONE nf_log_ipv6", Read(host));
        Assert.False(File.Exists(file));
    }

    private static string Read(TestNamespace host) => $"{host.ReadSetting("netfilter/nf_log/2")} {host.ReadSetting("netfilter/nf_log/10")}";

    private static void Write(TestNamespace host, string ipv4, string ipv6)
    {
        host.WriteSetting("netfilter/nf_log/2", ipv4);
        host.WriteSetting("netfilter/nf_log/10", ipv6);
    }
}
