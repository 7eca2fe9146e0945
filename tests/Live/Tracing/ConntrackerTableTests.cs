using Conntracker.Core.KernelSettings;
using Conntracker.Core.Tracing.Nftables;
using Xunit;

namespace Conntracker.Tests.Live.Tracing;

/// <summary>Where the kernel does not know the flag 'owner', our table is removed all the same: at the end, or at the next start.</summary>
public sealed class ConntrackerTableTests
{
    [Fact]
    public void Without_the_flag_owner_the_table_is_removed_at_the_end_with_all_that_traces()
    {
        using TestNamespace host = new();
        host.Do(() =>
        {
            using ConntrackerTable table = ConntrackerTable.Create(asksForOwnership: false);
            Assert.Equal(("conntracker", false), (table.Name, table.IsOwned));
            Assert.DoesNotContain("owner", host.Run("nft", "list", "ruleset"), StringComparison.Ordinal);
            table.Run(TraceRules.Begin(table.Name, TraceMode.Flows, TimeSpan.FromSeconds(1), 16), "no");
            host.Run("ping", "-c", "1", "127.0.0.1");
        });
        Assert.Empty(host.Run("nft", "list", "ruleset"));
    }

    [Fact]
    public void What_a_killed_process_left_is_removed_at_the_next_start_and_what_a_living_one_has_is_not()
    {
        using TestNamespace host = new();

        // As a capture makes it; the process that it names is another.
        using Tool process = Tool.Start("sleep", "120");
        string made = host.Do(() =>
        {
            using ConntrackerTable table = ConntrackerTable.Create(asksForOwnership: false);
            return host.Run("nft", "list", "ruleset");
        });
        Assert.Contains($"comment \"{ProcessIdentity.Own}\"", made, StringComparison.Ordinal);
        string left = made.Replace(ProcessIdentity.Own,
            $"{ProcessIdentity.Prefix}{process.Id} of {ProcessIdentity.StartOf(process.Id)}", StringComparison.Ordinal);
        host.LoadRules(left);

        Assert.Equal("conntracker_2", NameOfNext(host));
        Assert.Equal(left, host.Run("nft", "list", "ruleset"));

        process.End("KILL");
        Assert.Equal("conntracker", NameOfNext(host));
        Assert.Empty(host.Run("nft", "list", "ruleset"));
    }

    [Fact]
    public void A_table_of_the_same_name_that_no_capture_made_stays()
    {
        using TestNamespace host = new();
        host.LoadRules("table inet conntracker {\n chain tracking {\n ct state new comment \"conntracker process\"\n }\n}");
        string before = host.Run("nft", "list", "ruleset");
        Assert.Equal("conntracker_2", NameOfNext(host));
        Assert.Equal(before, host.Run("nft", "list", "ruleset"));
    }

    private static string NameOfNext(TestNamespace host) => host.Do(() =>
    {
        using ConntrackerTable table = ConntrackerTable.Create(asksForOwnership: false);
        return table.Name;
    });
}
