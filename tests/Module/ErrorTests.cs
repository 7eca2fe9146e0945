using System.Text.RegularExpressions;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>
/// Error ids are part of the module's interface. The tests of the cmdlets provoke them; here it is made sure that none is left out.
/// </summary>
public sealed partial class ErrorTests
{
    // What no cmdlet writes as an error: there is another way then, and a warning; and what is a fault of the engine.
    private static readonly string[] s_neverWritten = ["BpfProgramsNotFound", "ConntrackFailed", "LibbpfNotFound", "NflogBusy"];

    // What no test can bring about here, and why.
    private static readonly Dictionary<string, string> s_unprovoked = new()
    {
        ["ConntrackIOFailed"] = "a disk that fails while a log is read",
        ["FirewallTrialFailed"] = "a system without namespaces, or a trial whose process is killed",
        ["KernelFeatureMissing"] = "a kernel without nf_conntrack_netlink",
        ["KernelRefused"] = "a kernel that answers with an error",
        ["KernelSettingFailed"] = "a file system below /run that fails",
        ["LibnftablesNotFound"] = "flows are captured without it, with a warning: LiveCaptureTests",
        ["LogWriteFailed"] = "a disk that fails while a log is written",
        ["PolicyProofFailed"] = "a policy that does not do what it is made for: tests/Live/Policies/Suggestions",
        ["ProgramNotFound"] = "a machine without nft or iptables",
        ["TraceLimit"] = "4096 traces take a minute: tests/Unit",
        ["TraceUnavailable"] = "a kernel whose nftables takes no table",
    };

    [Fact]
    public void Every_id_of_the_catalog_is_provoked_by_a_test_or_named_here()
    {
        string tests = string.Concat(Directory.GetFiles(Repository.PathOf("tests/Module"), "*Tests.cs")
            .Where(file => !file.EndsWith("ErrorTests.cs", StringComparison.Ordinal)).Select(File.ReadAllText));
        string[] ids = IdsOfTheCatalog();

        Assert.True(ids.Length > 30);
        Assert.Empty(ids.Where(id => !tests.Contains(id, StringComparison.Ordinal)).Except(s_unprovoked.Keys).Except(s_neverWritten));
        Assert.Empty(s_unprovoked.Keys.Except(ids));
    }

    [Fact]
    public void A_missing_privilege_comes_with_what_to_do()
    {
        ToolResult result = OtherPowerShell.RunUnprivileged(
            "try { Get-ConntrackFlow -Live } catch { $_.ErrorDetails.RecommendedAction; $_.ErrorDetails.Message -eq $_.Exception.Message }");
        Assert.Contains("sudo pwsh", result.Lines[0], StringComparison.Ordinal);
        Assert.Equal("True", result.Lines[1]);
    }

    [Fact]
    public void Every_id_that_a_user_may_meet_is_in_the_help()
    {
        string pages = string.Concat(Directory.GetFiles(Repository.PathOf("docs/help"), "*.md").Select(File.ReadAllText));
        Assert.Equal(s_neverWritten, IdsOfTheCatalog().Where(id => !pages.Contains($"`{id}`", StringComparison.Ordinal)));
    }

    private static string[] IdsOfTheCatalog() =>
        [.. Id().Matches(File.ReadAllText(Repository.PathOf("src/Conntracker.PowerShell/ErrorCatalog.cs")))
            .Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal)];

    [GeneratedRegex("\"([A-Z][A-Za-z]+)\",\\s+ErrorCategory\\.")]
    private static partial Regex Id();
}
