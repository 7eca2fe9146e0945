using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>Without a capability: an error that names it, and nothing left behind.</summary>
public sealed class CapabilityTests
{
    [Theory]
    [InlineData("")]
    [InlineData("--accounting")]
    public void Without_CAP_NET_ADMIN_the_error_names_it(string option)
    {
        using TestNamespace host = new();

        string[] arguments = option.Length > 0 ? [option] : [];
        using Tool tool = host.Start(
            "setpriv", ["--bounding-set=-net_admin", "--inh-caps=-net_admin", CommandLine.Program, "-o", "-", "--duration", "5", .. arguments]);
        ToolResult result = tool.Wait();

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("CAP_NET_ADMIN", Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        Assert.Equal("0", host.ReadSetting("netfilter/nf_conntrack_acct"));
        Assert.Equal("", host.Run("nft", "list", "ruleset"));
    }

    [Fact]
    public void Without_CAP_SYS_ADMIN_the_error_of_another_namespace_names_it()
    {
        using TestNamespace host = new();

        ToolResult result = Tool.Try(
            "setpriv", "--bounding-set=-sys_admin", "--inh-caps=-sys_admin", CommandLine.Program, "--netns", host.Name, "-o", "-", "--duration", "5");

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("CAP_SYS_ADMIN", Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Fact]
    public void CAP_NET_ADMIN_alone_is_enough()
    {
        using TestNamespace host = new();

        using Tool tool = host.Start(
            "setpriv", "--bounding-set=-all,+net_admin", "--inh-caps=-all", CommandLine.Program, "-o", "-", "--duration", "1", "--stats");
        ToolResult result = tool.Wait();

        Assert.True(result.ExitCode == 0, result.Error);
        string note = Assert.Single(result.Error.Split('\n'), each => each.Contains("note:", StringComparison.Ordinal));
        Assert.Contains("Connection tracking was not enabled", note, StringComparison.Ordinal);
    }
}
