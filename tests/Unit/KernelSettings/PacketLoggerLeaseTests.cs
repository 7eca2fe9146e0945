using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Where traced packets are logged is the user's again, whoever traced.</summary>
public sealed class PacketLoggerLeaseTests : IDisposable
{
    private static readonly NetworkNamespaceId s_namespace = new(Cookie: 4711, Inode: 0);

    private readonly TempDirectory _folder = new();

    public PacketLoggerLeaseTests()
    {
        Directory.CreateDirectory(Path.Combine(Settings, "nf_log"));
        Loggers = ("NONE\n", "nf_log_ipv6\n");
    }

    private string Settings => _folder.File("settings");

    private string State => _folder.File("state");

    private string StateFile => Path.Combine(State, "logger-4711.json");

    private (string IPv4, string IPv6) Loggers
    {
        get => (File.ReadAllText(Path.Combine(Settings, "nf_log", "2")).Trim(), File.ReadAllText(Path.Combine(Settings, "nf_log", "10")).Trim());
        set
        {
            File.WriteAllText(Path.Combine(Settings, "nf_log", "2"), value.IPv4);
            File.WriteAllText(Path.Combine(Settings, "nf_log", "10"), value.IPv6);
        }
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_logger_is_NFLOG_while_it_is_needed_and_what_it_was_afterwards()
    {
        using (SettingsLease lease = Acquire(PacketLogger.Nflog))
        {
            Assert.Equal(("nfnetlink_log", "nfnetlink_log"), Loggers);
            Assert.True(File.Exists(StateFile));
        }

        Assert.Equal(("NONE", "nf_log_ipv6"), Loggers);
        Assert.False(File.Exists(StateFile));
    }

    [Fact]
    public void The_kernels_log_can_be_chosen_in_its_stead()
    {
        Loggers = ("nfnetlink_log", "NONE");
        using (SettingsLease lease = Acquire(PacketLogger.KernelLog))
        {
            Assert.Equal(("nf_log_ipv4", "nf_log_ipv6"), Loggers);
        }

        Assert.Equal(("nfnetlink_log", "NONE"), Loggers);
    }

    [Fact]
    public void Two_captures_share_it_and_the_last_one_puts_it_back()
    {
        SettingsLease first = Acquire(PacketLogger.Nflog);
        SettingsLease second = Acquire(PacketLogger.Nflog);
        first.Dispose();
        Assert.Equal(("nfnetlink_log", "nfnetlink_log"), Loggers);
        second.Dispose();
        Assert.Equal(("NONE", "nf_log_ipv6"), Loggers);
    }

    [Fact]
    public void A_capture_is_not_blinded_by_one_that_needs_the_other_logger()
    {
        using (SettingsLease first = Acquire(PacketLogger.Nflog))
        {
            ConntrackException error = Assert.Throws<ConntrackException>(() => Acquire(PacketLogger.KernelLog).Dispose());
            Assert.Equal(ConntrackErrorReason.SettingFailed, error.Reason);
            Assert.Contains($"process {Environment.ProcessId}", error.Message, StringComparison.Ordinal);
            Assert.Contains("net.netfilter.nf_log.2", error.Message, StringComparison.Ordinal);
            Assert.Equal(("nfnetlink_log", "nfnetlink_log"), Loggers);
        }

        Assert.Equal(("NONE", "nf_log_ipv6"), Loggers);
        using SettingsLease after = Acquire(PacketLogger.KernelLog);
        Assert.Equal(("nf_log_ipv4", "nf_log_ipv6"), Loggers);
    }

    [Theory]
    [InlineData("nfnetlink_log", "nfnetlink_log")]
    [InlineData("nf_log_ipv4", "nf_log_ipv6")]
    public void What_a_killed_capture_left_is_put_back_whichever_logger_it_chose(string ipv4, string ipv6)
    {
        Loggers = (ipv4, ipv6);
        Directory.CreateDirectory(State);
        File.WriteAllText(
            StateFile,
            $$"""
            {
              "Found":{"nf_log/2":"NONE","nf_log/10":"ours_v6"},
              "Wanted":{"nf_log/2":"{{ipv4}}","nf_log/10":"{{ipv6}}"},
              "Holders":[{"ProcessId":1073741823,"ProcessStart":1,"Capture":"{{Guid.NewGuid()}}"}]
            }
            """);
        Assert.Equal(SettingsRecovery.PutBack, SettingsLease.Recover(PacketLoggerLease.Purpose, s_namespace, Settings, State));
        Assert.Equal(("NONE", "ours_v6"), Loggers);
        Assert.False(File.Exists(StateFile));
        Assert.Equal(SettingsRecovery.None, SettingsLease.Recover(PacketLoggerLease.Purpose, s_namespace, Settings, State));
    }

    [Fact]
    public void What_the_user_chose_meanwhile_is_kept()
    {
        using (SettingsLease lease = Acquire(PacketLogger.Nflog))
        {
            Loggers = ("nf_log_ipv4", "nfnetlink_log");
        }

        Assert.Equal(("nf_log_ipv4", "nf_log_ipv6"), Loggers);
    }

    [Fact]
    public void A_logger_that_the_kernel_does_not_have_leaves_nothing_changed()
    {
        string path = Path.Combine(Settings, "nf_log", "10");
        File.Delete(path);
        File.CreateSymbolicLink(path, "/proc/self/sessionid");
        ConntrackException error = Assert.Throws<ConntrackException>(() => Acquire(PacketLogger.Nflog).Dispose());
        Assert.Contains("The trace of iptables-legacy needs net.netfilter.nf_log.10", error.Message, StringComparison.Ordinal);
        Assert.Equal("NONE", Loggers.IPv4);
        Assert.False(File.Exists(StateFile));
    }

    [Fact]
    public void Accounting_and_the_logger_do_not_put_back_what_is_the_others()
    {
        File.WriteAllText(Path.Combine(Settings, "nf_conntrack_acct"), "0");
        File.WriteAllText(Path.Combine(Settings, "nf_conntrack_timestamp"), "0");
        using SettingsLease accounting = AccountingLease.Acquire(s_namespace, Settings, State);
        Acquire(PacketLogger.Nflog).Dispose();
        Assert.Equal("1", File.ReadAllText(Path.Combine(Settings, "nf_conntrack_acct")));
        Assert.Equal(["accounting", "logger"], SettingsPurpose.All.Select(each => each.Name));
    }

    private SettingsLease Acquire(PacketLogger logger) => PacketLoggerLease.Acquire(logger, s_namespace, Settings, State);
}
