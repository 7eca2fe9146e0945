using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>'conntracker try' as a user runs it.</summary>
public sealed class CommandLineTryTests : IDisposable
{
    private const string Rules = """
        table inet filter {
          chain input {
            type filter hook input priority filter; policy drop;
            ct state established,related accept
            tcp dport 80 accept
            udp dport 53 reject
          }
        }
        """;

    private const string Host = """
        { "Name": "web", "Interfaces": [
            { "Name": "lo", "Index": 1, "Kind": "loopback", "LinkType": 772, "Addresses": ["127.0.0.1/8"] },
            { "Name": "eth0", "Index": 2, "Addresses": ["192.0.2.1/24"] } ],
          "Routes": [ { "Destination": "0.0.0.0/0", "Gateway": "192.0.2.254", "Interface": "eth0" } ] }
        """;

    private readonly CommandLine _program = new();

    public CommandLineTryTests()
    {
        TestNamespace.NeedRoot();
        File.WriteAllText(_program.PathOf("new.nft"), Rules);
        File.WriteAllText(_program.PathOf("old.nft"), Rules.Replace("dport 80", "dport 8080", StringComparison.Ordinal));
        File.WriteAllText(_program.PathOf("broken.nft"), "table inet x { nonsense }");
        File.WriteAllText(_program.PathOf("web.json"), Host);
        File.WriteAllText(_program.PathOf("flows.jsonl"), Flow("Tcp", 80) + Flow("Tcp", 81) + Flow("Udp", 53));
    }

    [Fact]
    public void Each_flow_gets_its_verdict_and_the_rule_with_file_and_line()
    {
        ToolResult result = Try("new.nft");
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(
            """
            ACCEPT   tcp 203.0.113.9:45000 -> 192.0.2.1:80
                     by inet filter input rule 2: tcp dport 80 accept (new.nft:5)
                     reply accepted
            DROP     tcp 203.0.113.9:45000 -> 192.0.2.1:81
                     by inet filter input policy drop
            REJECT   udp 203.0.113.9:45000 -> 192.0.2.1:53
                     by inet filter input rule 3: udp dport 53 reject (new.nft:6)

            """,
            result.Output);
        Assert.Contains("conntracker: 3 flows tested; the verdict changes for 0, and is unknown for 0.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_comparison_shows_what_differs_and_ends_with_exit_code_3()
    {
        ToolResult result = Try("--compare", "old.nft", "new.nft");
        Assert.True(result.ExitCode == 3, result.Error);
        Assert.Equal(
            [
                "ACCEPT   tcp 203.0.113.9:45000 -> 192.0.2.1:80",
                "         by inet filter input rule 2: tcp dport 80 accept (new.nft:5)",
                "         reply accepted",
                "         before: DROP by inet filter input policy drop",
            ],
            result.Lines);
    }

    [Fact]
    public void Json_is_one_object_a_line_with_the_names_of_the_cmdlets_properties()
    {
        ToolResult result = Try("new.nft", "--format", "json");
        Assert.Equal(3, result.Lines.Length);
        Assert.All(result.Lines, line => Assert.Matches("""^\{"Flow":\{.*\},"OldVerdict":"Unknown",.*"Verdict":"\w+".*\}$""", line));
        Assert.Contains("\"Rule\":{\"Engine\":\"Nftables\",\"Family\":\"inet\",\"Table\":\"filter\"", result.Lines[0], StringComparison.Ordinal);
    }

    [Fact]
    public void The_loaded_rules_of_a_namespace_are_tested_with_its_own_connections_and_stay_as_they_are()
    {
        using TestNamespace host = new();
        host.LoadRules(Rules.Replace("policy drop", "policy accept", StringComparison.Ordinal));
        string before = host.Run("nft", "list", "ruleset");
        host.Run("ping", "-q", "-c", "1", "127.0.0.1");

        ToolResult result = CommandLine.Run("try", "--current", "--netns", host.Name);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Contains("ACCEPT   icmp 127.0.0.1 -> 127.0.0.1 type 8 code 0", result.Output, StringComparison.Ordinal);

        ToolResult stricter = CommandLine.Run("try", _program.PathOf("new.nft"), "--compare-current", "--changed", "--netns", host.Name);
        Assert.True(stricter.ExitCode == 3, stricter.Error);
        Assert.Contains("DROP     icmp 127.0.0.1 -> 127.0.0.1 type 8 code 0", stricter.Output, StringComparison.Ordinal);
        Assert.Equal(before, host.Run("nft", "list", "ruleset"));
    }

    [Fact]
    public void A_verdict_that_is_unknown_gives_exit_code_4()
    {
        // No packet can stand for a flow whose client is not known.
        File.WriteAllText(
            _program.PathOf("flows.jsonl"),
            """{"Protocol":"Tcp","Family":"IPv4","SrcAddress":"0.0.0.0","DstAddress":"192.0.2.1","DstPort":80,"Folding":"Client"}""" + "\n");
        ToolResult result = Try("new.nft");
        Assert.True(result.ExitCode == 4, result.Error);
        Assert.StartsWith("UNKNOWN  tcp 0.0.0.0 -> 192.0.2.1:80", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("broken.nft", "broken.nft:1:")]
    [InlineData("nosuch.nft", "The ruleset '")]
    public void A_ruleset_that_does_not_load_gives_exit_code_1_and_one_line(string ruleset, string text)
    {
        ToolResult result = Try(ruleset);
        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains(text, Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    /// <inheritdoc/>
    public void Dispose() => _program.Dispose();

    private static string Flow(string protocol, int port) =>
        $$"""{"Protocol":"{{protocol}}","Family":"IPv4","SrcAddress":"203.0.113.9","SrcPort":45000,"DstAddress":"192.0.2.1","DstPort":{{port}}}""" + "\n";

    // Names of files are those in the program's folder.
    private ToolResult Try(params string[] arguments) => CommandLine.Run(
        [
            "try", .. arguments.Select(each => each.EndsWith(".nft", StringComparison.Ordinal) ? _program.PathOf(each) : each),
            "--host", _program.PathOf("web.json"), "--flows", _program.PathOf("flows.jsonl"),
        ]);
}
