using System.Globalization;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Policies;

/// <summary>What users would miss if it failed: a trial leaves nothing behind, and needs no root.</summary>
public sealed class TrialProcessTests : IDisposable
{
    private const string Rules = """
        table inet f {
            chain in {
                type filter hook input priority 0; policy drop;
                ct state established accept
                tcp dport 22 accept
            }
        }
        """;

    private const string Flows = """
        {"Protocol":"Tcp","Family":"IPv4","SrcAddress":"203.0.113.9","SrcPort":40000,"DstAddress":"192.0.2.10","DstPort":22}
        {"Protocol":"Tcp","Family":"IPv4","SrcAddress":"203.0.113.9","SrcPort":40000,"DstAddress":"192.0.2.10","DstPort":23}

        """;

    private readonly TempDirectory _directory = new();

    [Fact]
    public void Nothing_is_left_when_the_program_is_killed_in_the_middle_of_a_trial()
    {
        TestNamespace.NeedRoot();
        using Tool program = Tool.Start(CommandLine.Program, "try", File("fw.nft", Rules), "--host", Host(), "--flows", "-");
        string own = SpaceOf("self")!;
        string space = Eventually.Find(
            "the process of the trial", () => ChildOf(program.Id) is string child && SpaceOf(child) is string of && of != own ? of : null);

        Tool.Run("kill", "-9", program.Id.ToString(CultureInfo.InvariantCulture));

        Eventually.True("no process is in the trial's network namespace", () => !Spaces().Contains(space));
    }

    [Fact]
    public void A_user_who_is_not_root_tries_a_ruleset_for_another_host()
    {
        TestNamespace.NeedRoot();
        string program = Path.Join(_directory.Path, "conntracker");
        System.IO.File.Copy(CommandLine.Program, program);
        Tool.Run("chmod", "-R", "a+rX", _directory.Path);
        string[] nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
        using (Tool probe = Tool.Start("setpriv", [.. nobody, "unshare", "--user", "--map-root-user", "--net", "true"]))
        {
            Assert.SkipUnless(
                probe.Wait().ExitCode == 0, "This system does not permit user namespaces to users who are not root, or runs the tests below chroot.");
        }

        string[] arguments = [program, "try", File("fw.nft", Rules), "--host", Host(), "--flows", File("flows.jsonl", Flows)];
        using Tool tool = Tool.Start("setpriv", [.. nobody, .. arguments]);
        ToolResult result = tool.Wait();

        Assert.Contains("inet f in rule 2: tcp dport 22 accept", result.Output, StringComparison.Ordinal);
        Assert.Contains("inet f in policy drop", result.Output, StringComparison.Ordinal);
    }

    public void Dispose() => _directory.Dispose();

    private string Host() => File("host.json", TrialHosts.Host().ToJson());

    private string File(string name, string text)
    {
        string path = Path.Combine(_directory.Path, name);
        System.IO.File.WriteAllText(path, text);
        Tool.Run("chmod", "a+r", path);
        return path;
    }

    private static string? ChildOf(int parent) => Processes().FirstOrDefault(each =>
        Try(() => System.IO.File.ReadAllText($"/proc/{each}/stat")) is string stat
        && stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1] == parent.ToString(CultureInfo.InvariantCulture)
        && stat.Contains("(conntracker)", StringComparison.Ordinal));

    private static HashSet<string?> Spaces() => [.. Processes().Select(SpaceOf)];

    private static string? SpaceOf(string process) => Try(() => Directory.ResolveLinkTarget($"/proc/{process}/ns/net", returnFinalTarget: false)?.Name);

    private static IEnumerable<string> Processes() =>
        Directory.EnumerateDirectories("/proc").Select(each => Path.GetFileName(each)).Where(each => char.IsAsciiDigit(each[0]));

    // A process may end while it is read.
    private static string? Try(Func<string?> read)
    {
        try
        {
            return read();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
