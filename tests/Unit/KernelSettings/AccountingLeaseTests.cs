using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What the engine switches on in the kernel it puts back, whoever else has a hand in it.</summary>
public sealed class AccountingLeaseTests : IDisposable
{
    private static readonly NetworkNamespaceId s_namespace = new(Cookie: 4711, Inode: 0);

    private readonly TempDirectory _folder = new();

    public AccountingLeaseTests()
    {
        Directory.CreateDirectory(Settings);
        Acct = "0\n";
        Timestamp = "0\n";
    }

    private string Settings => _folder.File("settings");

    private string State => _folder.File("state");

    private string StateFile => Path.Combine(State, "accounting-4711.json");

    private string Acct
    {
        get => Read("nf_conntrack_acct");
        set => File.WriteAllText(Path.Combine(Settings, "nf_conntrack_acct"), value);
    }

    private string Timestamp
    {
        get => Read("nf_conntrack_timestamp");
        set => File.WriteAllText(Path.Combine(Settings, "nf_conntrack_timestamp"), value);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Accounting_is_on_while_it_is_needed_and_off_afterwards()
    {
        using (SettingsLease lease = Acquire())
        {
            Assert.Equal(("1", "1", true), (Acct, Timestamp, File.Exists(StateFile)));
        }

        Assert.Equal(("0", "0", false), (Acct, Timestamp, File.Exists(StateFile)));
    }

    [Fact]
    public void What_was_on_before_stays_on()
    {
        Acct = "1";
        Acquire().Dispose();
        Assert.Equal(("1", "0"), (Acct, Timestamp));
    }

    [Theory]
    [InlineData("the first ends first", true)]
    [InlineData("the second ends first", false)]
    public void Two_captures_share_it_and_the_last_one_puts_it_back(string name, bool firstEndsFirst)
    {
        SettingsLease first = Acquire();
        SettingsLease second = Acquire();
        (firstEndsFirst ? first : second).Dispose();
        Assert.True((Acct, Timestamp) == ("1", "1"), name);
        (firstEndsFirst ? second : first).Dispose();
        Assert.True((Acct, Timestamp, File.Exists(StateFile)) == ("0", "0", false), name);
    }

    [Theory]
    [InlineData("its process is gone", 0x3fffffff, 1)]
    [InlineData("its number is another process's now", 1, 99999999999)]
    public void What_a_killed_capture_left_is_put_back_at_the_next_start(string name, int processId, long processStart)
    {
        Leave(processId, processStart);
        Assert.True(Recover(), name);
        Assert.Equal(("0", "0", false), (Acct, Timestamp, File.Exists(StateFile)));
        Assert.False(Recover(), "There is nothing left to put back.");
    }

    [Fact]
    public void A_capture_after_a_killed_one_finds_the_settings_as_they_were_before_both()
    {
        Leave(0x3fffffff, 1);
        using (SettingsLease lease = Acquire())
        {
            Assert.Equal(("1", "1"), (Acct, Timestamp));
        }

        Assert.Equal(("0", "0"), (Acct, Timestamp));
    }

    [Fact]
    public void What_a_running_capture_needs_is_not_put_back_by_another()
    {
        using SettingsLease lease = Acquire();
        Assert.False(Recover());
        Assert.Equal(("1", "1"), (Acct, Timestamp));
    }

    [Fact]
    public void What_the_user_changed_meanwhile_is_kept()
    {
        using (SettingsLease lease = Acquire())
        {
            Acct = "0";
            Timestamp = "2";
        }

        Assert.Equal(("0", "2"), (Acct, Timestamp));
    }

    [Theory]
    [InlineData("the first", "nf_conntrack_acct")]
    [InlineData("the second", "nf_conntrack_timestamp")]
    public void A_setting_that_cannot_be_written_leaves_nothing_changed(string name, string setting)
    {
        // Reads as 0, and cannot be written: a link to a file of the kernel that refuses.
        string path = Path.Combine(Settings, setting);
        File.Delete(path);
        File.CreateSymbolicLink(path, "/proc/self/sessionid");
        ConntrackException error = Assert.Throws<ConntrackException>(() => Acquire().Dispose());
        Assert.Contains($"net.netfilter.{setting}", error.Message, StringComparison.Ordinal);
        File.Delete(path);
        File.WriteAllText(path, "0");
        Assert.True((Acct, Timestamp, Recover(), File.Exists(StateFile)) == ("0", "0", false, false), name);
    }

    [Fact]
    public void A_kernel_without_the_setting_is_said_to_lack_it()
    {
        File.Delete(Path.Combine(Settings, "nf_conntrack_timestamp"));
        ConntrackException error = Assert.Throws<ConntrackException>(() => Acquire().Dispose());
        Assert.Equal((ConntrackErrorReason.KernelFeatureMissing, "0"), (error.Reason, Acct));
    }

    [Theory]
    [InlineData("empty", "")]
    [InlineData("cut off", """{"Found":{"nf_conntr""")]
    [InlineData("no JSON", "acct=0")]
    [InlineData("nothing", "null")]
    [InlineData("members that are nothing", """{"Found":null,"Wanted":null,"Holders":null}""")]
    [InlineData("a holder that is nothing", """{"Found":{},"Holders":[null]}""")]
    [InlineData("a value that is nothing", """{"Found":{"nf_conntrack_acct":null},"Holders":[]}""")]
    [InlineData("a setting that is not ours", """{"Found":{"../../etc/passwd":"0"},"Holders":[]}""")]
    public void A_state_file_that_tells_nothing_is_no_obstacle(string name, string content)
    {
        WriteState(content);
        Acquire().Dispose();
        Assert.True((Acct, Timestamp) == ("0", "0"), name);
        WriteState(content);
        Assert.False(Recover(), name);
        Assert.False(File.Exists(StateFile));
    }

    [Fact]
    public void The_state_is_its_owners_alone()
    {
        using SettingsLease lease = Acquire();
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(StateFile));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(State));
    }

    [Fact]
    public void Namespaces_do_not_share_their_state()
    {
        using SettingsLease lease = Acquire();
        AccountingLease.Acquire(s_namespace with { Cookie = 4712 }, Settings, State).Dispose();
        Assert.Equal(("1", "1"), (Acct, Timestamp));
    }

    [Theory]
    [InlineData("the first ends first", true)]
    [InlineData("the second ends first", false)]
    public void Captures_in_containers_that_do_not_share_the_state_share_the_settings(string name, bool firstEndsFirst)
    {
        SettingsLease first = Acquire();
        SettingsLease second = AccountingLease.Acquire(s_namespace, Settings, _folder.File("elsewhere"));
        (firstEndsFirst ? first : second).Dispose();
        Assert.True((Acct, Timestamp) == ("1", "1"), name);
        Assert.False(Recover());
        (firstEndsFirst ? second : first).Dispose();
        Assert.True((Acct, Timestamp) == ("0", "0"), name);
    }

    [Fact]
    public void What_a_killed_capture_left_in_one_container_is_not_put_back_while_another_counts()
    {
        using (SettingsLease elsewhere = AccountingLease.Acquire(s_namespace, Settings, _folder.File("elsewhere")))
        {
            Leave(0x3fffffff, 1);
            Assert.False(Recover());
            Assert.Equal(("1", "1"), (Acct, Timestamp));
        }

        Assert.Equal(("0", "0"), (Acct, Timestamp));
    }

    [Fact]
    public void Where_a_namespace_cannot_be_told_from_a_later_one_its_settings_are_not_put_back_but_those_of_a_running_capture_are()
    {
        // As before Linux 5.14, in a namespace that is not the machine's own.
        NetworkNamespaceId unlasting = new(Cookie: 0, Inode: 4711);
        AccountingLease.Acquire(unlasting, Settings, State).Dispose();
        Assert.Equal(("0", "0"), (Acct, Timestamp));

        Leave(0x3fffffff, 1);
        File.Move(StateFile, Path.Combine(State, "accounting-inode-4711.json"));
        Assert.Equal(SettingsRecovery.Unknown, SettingsLease.Recover(AccountingLease.Purpose, unlasting, Settings, State));
        Assert.Equal(("1", "1"), (Acct, Timestamp));
        Assert.Equal(SettingsRecovery.None, SettingsLease.Recover(AccountingLease.Purpose, unlasting, Settings, State));
    }

    [Fact]
    public void Namespaces_without_a_cookie_have_states_of_their_own()
    {
        Assert.NotEqual(new NetworkNamespaceId(0, 1).Name, new NetworkNamespaceId(0, 2).Name);
        NetworkNamespaceId own = NetworkNamespaceId.OfThread(cookie: 0);
        Assert.NotEqual(0ul, own.Inode);
        Assert.Equal(own, NetworkNamespaceId.OfThread(cookie: 0));
    }

    [Fact]
    public void A_setting_that_somebody_else_changes_while_it_is_needed_is_noticed()
    {
        using SettingsLease lease = Acquire();
        Assert.Null(lease.FindChanged());
        Acct = "0";
        Assert.Equal("net.netfilter.nf_conntrack_acct is 0, and was set to 1", lease.FindChanged());
    }

    [Fact]
    public void A_state_that_a_killed_process_was_writing_leaves_the_one_before_it()
    {
        Leave(0x3fffffff, 1);
        File.WriteAllText(StateFile + ".new", """{"Found":{"nf_conntr""");
        Assert.True(Recover());
        Assert.Equal(("0", "0"), (Acct, Timestamp));
    }

    [Fact]
    public void A_state_is_never_written_in_its_place()
    {
        // A second name of the file keeps what it was: whoever is killed in the middle of the writing leaves it so.
        using SettingsLease first = Acquire();
        string before = File.ReadAllText(StateFile);
        using FileStream kept = File.OpenRead(StateFile);
        using SettingsLease second = Acquire();
        using StreamReader reader = new(kept);
        Assert.Equal(before, reader.ReadToEnd());
        Assert.NotEqual(before, File.ReadAllText(StateFile));
        Assert.False(File.Exists(StateFile + ".new"));
    }

    [Fact]
    public void Captures_that_start_and_end_at_the_same_moment_never_fail_over_each_other()
    {
        Parallel.For(0, 4, _ =>
        {
            for (int i = 0; i < 50; i++)
            {
                Acquire().Dispose();
            }
        });
        Assert.Equal(("0", "0", false), (Acct, Timestamp, File.Exists(StateFile)));
    }

    private SettingsLease Acquire() => AccountingLease.Acquire(s_namespace, Settings, State);

    private bool Recover() => SettingsLease.Recover(AccountingLease.Purpose, s_namespace, Settings, State) == SettingsRecovery.PutBack;

    private string Read(string setting) => File.ReadAllText(Path.Combine(Settings, setting)).Trim();

    private void Leave(int processId, long processStart)
    {
        Acct = "1";
        Timestamp = "1";
        WriteState(
            $$"""
            {
              "Found":{"nf_conntrack_acct":"0","nf_conntrack_timestamp":"0"},
              "Holders":[{"ProcessId":{{processId}},"ProcessStart":{{processStart}},"Capture":"{{Guid.NewGuid()}}"}]
            }
            """);
    }

    private void WriteState(string content)
    {
        Directory.CreateDirectory(State);
        File.WriteAllText(StateFile, content);
    }
}
