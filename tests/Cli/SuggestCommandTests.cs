using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary><c>conntracker suggest</c> without its proof, which needs the kernel.</summary>
public sealed class SuggestCommandTests : IDisposable
{
    private readonly TempDirectory _folder = new();
    private readonly ConsoleText _console = new();

    public void Dispose()
    {
        _console.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void The_flows_of_a_log_become_a_ruleset()
    {
        string log = _folder.File("flows.log");
        string path = _folder.File("policy.rules");
        File.WriteAllText(log, Log("10.0.0.1", "192.0.2.1"));
        string[] policy = ["--own-address", "192.0.2.1", "--as", "iptables", "--prefix", "10.0.0.0/24", "--default-verdict", "reject"];
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["suggest", log, "--no-proof", "-o", path, .. policy]));
        string text = File.ReadAllText(path);
        Assert.Contains("\n-4 -A INPUT -s 10.0.0.0/24 -p tcp -m tcp --dport 22 ", text, StringComparison.Ordinal);
        Assert.EndsWith("-j REJECT --reject-with icmp6-adm-prohibited\nCOMMIT\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public void Flows_without_a_direction_are_named_in_a_note()
    {
        string log = _folder.File("flows.log");
        File.WriteAllText(log, Log("10.0.0.1", "192.0.2.1"));
        Assert.Equal(ExitCode.Success, CommandLine.Invoke(["suggest", log, "--no-proof", "-o", _folder.File("policy.nft")]));
        Assert.Contains("--own-address", Assert.Single(_console.ErrorLines), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--replay cannot be used with logs: name either a recording or logs.", "a.log", "--replay", "b.ctrec")]
    [InlineData("--duration cannot be used with logs: nothing is captured then.", "a.log", "--duration", "1")]
    [InlineData("--trace cannot be used with --replay: a replay only reads a recording.", "--replay", "b.ctrec", "-t")]
    [InlineData("--minimum-connections: '0' is not a number of connections, 1 or more.", "--minimum-connections", "0")]
    [InlineData("--maximum-widening: 'x' is not a number of addresses × ports, 0 or more.", "--maximum-widening", "x")]
    [InlineData("--prefix: '10.0.0.0/33' is not an address or a subnet. Use 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32.", "--prefix", "10.0.0.0/33")]
    public void Options_that_cannot_be_are_one_line_each(string message, params string[] arguments)
    {
        Assert.Equal(ExitCode.Usage, CommandLine.Invoke(["suggest", .. arguments]));
        Assert.Equal($"conntracker: {message}", _console.ErrorLines[0]);
        Assert.Equal("conntracker: 'conntracker suggest --help' shows the options.", _console.ErrorLines[^1]);
    }

    [Fact]
    public void A_log_that_is_not_there_is_one_line()
    {
        Assert.Equal(ExitCode.Failed, CommandLine.Invoke(["suggest", _folder.File("none.log"), "--no-proof"]));
        Assert.Contains("none.log", Assert.Single(_console.ErrorLines), StringComparison.Ordinal);
    }

    // An answered connection to port 22.
    private static string Log(string from, string to) =>
        $"[{{\"Protocol\":\"Tcp\",\"Family\":\"IPv4\",\"SrcAddress\":\"{from}\",\"SrcPort\":40000,\"DstAddress\":\"{to}\",\"DstPort\":22,\"Confirmed\":true}}]";
}
