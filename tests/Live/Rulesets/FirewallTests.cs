using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>The user's firewall is never touched, and nothing of ours stays behind.</summary>
public sealed class FirewallTests
{
    [Fact]
    public void The_users_rules_are_the_same_before_during_and_after_a_capture()
    {
        using TestNamespace host = new();
        UserRules.Load(host);
        string before = UserRules.Show(host);

        using LiveCapture live = LiveCapture.Start(new CaptureOptions { NetworkNamespace = host.Name, Accounting = true });
        Assert.Contains("table inet conntracker {", host.Run("nft", "list", "ruleset"), StringComparison.Ordinal);
        Assert.Equal(before, UserRules.Show(host));

        live.Stop();
        Assert.DoesNotContain("conntracker", host.Run("nft", "list", "ruleset"), StringComparison.Ordinal);
        Assert.Equal(before, UserRules.Show(host));
    }

    [Fact]
    public void Kill_minus_9_leaves_no_table_and_the_users_rules_as_they_were()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        UserRules.Load(host);
        string before = UserRules.Show(host);
        string ruleset = host.Run("nft", "-a", "list", "ruleset");

        using Tool capture = program.Start(host);
        Assert.Equal(before, UserRules.Show(host));

        capture.End("KILL");
        Eventually.Equal(() => ruleset, () => host.Run("nft", "-a", "list", "ruleset"));
        Assert.Equal(before, UserRules.Show(host));
        Assert.Empty(Directory.GetFiles(program.Folder));
    }

    [Fact]
    public void Nobody_else_can_change_or_flush_away_our_table()
    {
        using TestNamespace host = new();
        using LiveCapture live = LiveCapture.Start(host);

        using Tool delete = host.Start("nft", "delete", "table", "inet", "conntracker");
        Assert.NotEqual(0, delete.Wait().ExitCode);
        using Tool flush = host.Start("nft", "flush", "ruleset");
        flush.Wait();

        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 2), new IPEndPoint(IPAddress.Loopback, 0));
        Eventually.True("a flow after the flush", () => live.Flows.Count == 1);
    }

    [Fact]
    public void Rules_that_the_user_takes_away_do_not_blind_the_capture()
    {
        using TestNamespace host = new();
        host.LoadRules("""
            table inet users {
              chain everything {
                ct state new
              }
            }
            """);
        using LiveCapture live = LiveCapture.Start(host);

        host.LoadRules("delete table inet users");

        TestClient.Exchange(host, FlowProtocol.Icmp, new IPEndPoint(IPAddress.Loopback, 2), new IPEndPoint(IPAddress.Loopback, 0));
        Eventually.True("a flow after the user's rules are gone", () => live.Flows.Count == 1);
    }
}
