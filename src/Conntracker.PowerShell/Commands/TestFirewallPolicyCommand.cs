using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Tests what a ruleset does to flows: the kernel of this machine answers, in a private network namespace.</para>
/// </summary>
[Cmdlet(VerbsDiagnostic.Test, "FirewallPolicy", DefaultParameterSetName = ByPath)]
[OutputType(typeof(FlowTest))]
public sealed class TestFirewallPolicyCommand : RulesetCmdlet
{
    private const string ByPath = "Path";
    private const string ByLiteralPath = "LiteralPath";
    private const string ByCurrent = "Current";

    private FirewallPolicyTest? _test;

    /// <summary>The ruleset's files.</summary>
    [Parameter(
        ParameterSetName = ByPath,
        Mandatory = true,
        Position = 0,
        HelpMessage = "The ruleset: a file of nft, or files of iptables-save and ip6tables-save, loaded together. Wildcards are allowed.")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The ruleset's files; wildcards are taken literally.</summary>
    [Parameter(ParameterSetName = ByLiteralPath, Mandatory = true, HelpMessage = "The files of the ruleset. Wildcards are taken literally.")]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>Test the ruleset that is loaded now.</summary>
    [Parameter(ParameterSetName = ByCurrent, Mandatory = true, HelpMessage = "Test the ruleset that is loaded now, of nftables and iptables together.")]
    public SwitchParameter Current { get; set; }

    /// <summary>The flows.</summary>
    [Parameter(ValueFromPipeline = true, HelpMessage = "The flows. By default, those of all captures of this process.")]
    public Flow[]? InputObject { get; set; }

    /// <summary>The captures whose flows are tested.</summary>
    [Parameter(HelpMessage = "The captures whose flows are tested.")]
    public Capture[]? Capture { get; set; }

    /// <summary>The files of the old ruleset.</summary>
    [Parameter(HelpMessage = "The files of the old ruleset. Only flows whose verdict or rule differs are emitted.")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[]? Compare { get; set; }

    /// <summary>Compare with the loaded ruleset.</summary>
    [Parameter(HelpMessage = "Compare with the ruleset that is loaded now. Only flows whose verdict or rule differs are emitted.")]
    public SwitchParameter CompareCurrent { get; set; }

    /// <summary>Rules that are deleted.</summary>
    [Parameter(
        HelpMessage = "Rules that are deleted after loading, as the property Rule of a test shows them. Only flows for which that matters are emitted.")]
    [ValidateNotNullOrEmpty]
    public FirewallRule[] Without { get; set; } = [];

    /// <summary>The host.</summary>
    [Parameter(HelpMessage = "The host that the ruleset is for, as Get-FirewallHost describes it. By default, this host.")]
    [Alias("Host")]
    [FirewallHost]
    public FirewallHost? FirewallHost { get; set; }

    /// <summary>The file that describes the host.</summary>
    [Parameter(HelpMessage = "The file with the description of the host that the ruleset is for: JSON or XML.")]
    [ValidateNotNullOrEmpty]
    public string? HostPath { get; set; }

    /// <summary>The network namespace.</summary>
    [Parameter(HelpMessage = "The network namespace whose loaded ruleset and interfaces are used: a name from 'ip netns', or a path.")]
    [ArgumentCompleter(typeof(NetworkNamespaceCompleter))]
    [ValidateNotNullOrEmpty]
    public string? NetworkNamespace { get; set; }

    /// <summary>Load files with iptables-nft.</summary>
    [Parameter(HelpMessage = "Load files of iptables-save with iptables-nft, where they do not say which program wrote them. The default is iptables-legacy.")]
    public SwitchParameter IptablesNft { get; set; }

    /// <summary>Only flows whose verdict changes.</summary>
    [Parameter(HelpMessage = "Emit only flows that are let through now and were not before, or the reverse.")]
    public SwitchParameter Changed { get; set; }

    /// <summary>Do not test answers.</summary>
    [Parameter(HelpMessage = "Do not test the answers to accepted packets.")]
    public SwitchParameter NoReply { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (FirewallHost is not null && HostPath is not null)
        {
            ThrowTerminating(new ArgumentException("Use -FirewallHost or -HostPath, not both."), HostPath);
        }

        if (CompareCurrent && Compare is not null)
        {
            ThrowTerminating(new ArgumentException("Use -Compare or -CompareCurrent, not both."), Compare);
        }

        if (Capture is not null && MyInvocation.ExpectingInput)
        {
            ThrowTerminating(new ArgumentException("Use -Capture or flows from the pipeline, not both."), Capture);
        }

        Guard(() =>
        {
            FirewallPolicyTestOptions options = new()
            {
                Paths = [.. ParameterSetName == ByLiteralPath ? LiteralPath.Select(ResolveLiteral) : Path.SelectMany(ResolveWildcards)],
                UsesCurrent = Current,
                OldPaths = [.. (Compare ?? []).SelectMany(ResolveWildcards)],
                ComparesWithCurrent = CompareCurrent,
                Without = Without,
                Host = HostPath is null ? FirewallHost : ReadHost(HostPath),
                NetworkNamespace = NetworkNamespace,
                UsesIptablesNft = IptablesNft,
                TestsReplies = !NoReply,
                OnlyChanged = Changed,
            };
            _test = RunWithProgress(
                "Loading the ruleset in a private network namespace", status: null, cancellation => FirewallPolicyTest.Start(options, cancellation));
        });
        foreach (string notice in _test!.Notices)
        {
            WriteWarning(notice);
        }
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (InputObject is not null)
        {
            Test(InputObject);
        }
        else if (!MyInvocation.ExpectingInput)
        {
            TestCaptures();
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        Guard(() => WriteObject(_test!.Complete(StopToken), enumerateCollection: true));

        // With these, a flow whose verdict is not known would go unnoticed.
        if ((Changed || Compare is not null || CompareCurrent || Without.Length > 0) && _test!.Unknown > 0)
        {
            WriteWarning(
                $"For {_test.Unknown} of {_test.Tested} flows a verdict is unknown, so it cannot be said whether it changes. "
                + "Test them without comparing and without -Changed: the property Reason says why.");
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _test?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void TestCaptures()
    {
        IReadOnlyList<Capture> captures = Capture ?? CaptureRegistry.All;
        if (captures.Count == 0)
        {
            WriteError(ErrorCatalog.NothingToTest());
        }

        foreach (Capture capture in captures)
        {
            Test(capture.GetFlows(FlowQuery.All, StopToken));
        }
    }

    private void Test(IEnumerable<Flow> flows)
    {
        foreach (Flow flow in flows)
        {
            Guard(() => WriteObject(_test!.Add(flow, StopToken), enumerateCollection: true));
        }
    }

    private FirewallHost ReadHost(string path) => FirewallHostFile.Read(GetUnresolvedProviderPathFromPSPath(path)) is [FirewallHost only]
        ? only
        : throw new ConntrackException(ConntrackErrorReason.HostDescriptionInvalid, $"'{path}' describes several hosts, and one is needed.");

    private void Guard(Action act)
    {
        try
        {
            act();
        }
        catch (OperationCanceledException) when (StopToken.IsCancellationRequested)
        {
            throw new PipelineStoppedException();
        }
        catch (ConntrackException error)
        {
            ThrowTerminating(error, Current ? null : ParameterSetName == ByLiteralPath ? LiteralPath : Path);
        }
    }
}
