using System.Text.RegularExpressions;
using Conntracker.Core.Native;
using Conntracker.Core.Rulesets;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>Loads rulesets with the programs that would load them on the host.</summary>
internal sealed partial class RulesetLoader : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    // iptables waits for a lock that is a file of the host: the trial has a file of its own, without a name.
    private readonly SafeFileDescriptor? _lock;

    /// <summary>Makes the lock's file.</summary>
    public RulesetLoader()
    {
        int number = SafeLibC.open(Path.GetTempPath(), O_TMPFILE | O_RDWR | O_CLOEXEC);
        _lock = number < 0 ? null : new SafeFileDescriptor(number);
    }

    private (string, string)[] Environment => _lock is null ? [] : [("XTABLES_LOCKFILE", $"/proc/{System.Environment.ProcessId}/fd/{_lock.Number}")];

    /// <summary>Loads a ruleset.</summary>
    /// <returns>What was left out of it, in a sentence; null when nothing was.</returns>
    /// <exception cref="ConntrackException">It does not load: the message has the loader's own text.</exception>
    public string? Load(RulesetSource source) => source.Format == RulesetFormat.Nftables ? LoadNftables(source) : LoadIptables(source);

    /// <summary>Runs iptables of the engine that a ruleset's rules belong to.</summary>
    public void RunIptables(bool isIPv6, params IEnumerable<string> arguments) =>
        ChildProgram.Run(Find(isIPv6 ? "ip6tables-legacy" : "iptables-legacy", "iptables"), arguments, "", Environment, s_patience, CancellationToken.None);

    /// <inheritdoc/>
    public void Dispose() => _lock?.Dispose();

    private string? LoadNftables(RulesetSource source)
    {
        string nft = Find("nft", "nftables");
        string? text = source.Text ?? File.ReadAllText(source.Path!);
        string? left = null;

        // The kernel removes a table with an owner when nft ends: the trial would have no rules.
        if (OwnerFlag().IsMatch(text))
        {
            text = OwnerFlag().Replace(text, "");
            left = $"{source}: the flag owner was left out, since the table would go with the program that loads it.";
        }
        else if (source.Path is not null)
        {
            text = null;
        }

        string[] include = source.Path is null ? [] : ["-I", Path.GetDirectoryName(source.Path)!];
        Run(source, nft, [.. include, "-f", text is null ? source.Path! : "-"], text ?? "");
        return left;
    }

    private string? LoadIptables(RulesetSource source)
    {
        string name = source.Format switch
        {
            RulesetFormat.Iptables => "iptables-legacy-restore",
            RulesetFormat.Ip6tables => "ip6tables-legacy-restore",
            RulesetFormat.IptablesNft => "iptables-nft-restore",
            _ => "ip6tables-nft-restore",
        };
        Run(source, Find(name, "iptables"), [], source.Text ?? File.ReadAllText(source.Path!));
        return null;
    }

    private void Run(RulesetSource source, string program, string[] arguments, string input)
    {
        try
        {
            ChildProgram.Run(program, arguments, input, Environment, s_patience, CancellationToken.None);
        }
        catch (ConntrackException error)
        {
            throw new ConntrackException(ConntrackErrorReason.RulesetInvalid, $"{source} does not load: {error.Message}", error);
        }
    }

    private static string Find(string program, string package) => ChildProgram.Find(program) ?? throw new ConntrackException(
        ConntrackErrorReason.ProgramMissing, $"The program {program} is missing: install the package {package} (sudo apt-get install {package}).");

    [GeneratedRegex(@"\bflags\s+owner\s*;?")]
    private static partial Regex OwnerFlag();
}
