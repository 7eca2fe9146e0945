using System.Management.Automation;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis"> Writes flows to a file: a text log of any generation, JSON, JSON lines or CSV; or as a tree of directories for firewall
/// rules.
/// </para>
/// </summary>
[Cmdlet(VerbsData.Export, "ConntrackLog", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo), typeof(DirectoryInfo))]
public sealed class ExportConntrackLogCommand : ConntrackCmdlet
{
    private static readonly string[] s_ofTree = [nameof(SkipElse), nameof(FoldInternet), nameof(MaximumFlows)];

    private LogFile? _file;
    private FlowTree? _tree;
    private IFlowWriter? _writer;

    /// <summary>The file, or the tree's directory.</summary>
    [Parameter(Mandatory = true, Position = 0, HelpMessage = "The file. With -Format Tree, the directory.")]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>The flows.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, HelpMessage = "The flows.")]
    public Flow[] InputObject { get; set; } = [];

    /// <summary>The generation of a text log.</summary>
    [Parameter(HelpMessage = "The version of the text log. The default is V3.")]
    public LogStyle Style { get; set; } = LogStyle.V3;

    /// <summary>The format.</summary>
    [Parameter(HelpMessage = "The format. The default is Text.")]
    public LogFormat Format { get; set; } = LogFormat.Text;

    /// <summary>Leave flows that are neither inbound nor outbound out of a tree.</summary>
    [Parameter(HelpMessage = "With -Format Tree: leave out flows that are neither incoming nor outgoing.")]
    public SwitchParameter SkipElse { get; set; }

    /// <summary>For which flows a tree shows the remote address as the internet.</summary>
    [Parameter(HelpMessage = "With -Format Tree: for which flows a remote address on the internet becomes INTERNET. The default is Both.")]
    public InternetFolding FoldInternet { get; set; } = InternetFolding.Both;

    /// <summary>How many entries a tree may hold.</summary>
    [Parameter(HelpMessage = "With -Format Tree: the maximum number of entries. Beyond it, new entries are folded into subnets. The default is 1,000,000.")]
    [ValidateRange(1, CaptureOptions.MaximumOfMaximumFlows)]
    public int MaximumFlows { get; set; } = FlowTreeOptions.DefaultMaximumEntries;

    /// <summary>Refuse to replace a file.</summary>
    [Parameter(HelpMessage = "Do not replace an existing file. With -Format Tree, do not write to a directory that is not empty.")]
    public SwitchParameter NoClobber { get; set; }

    /// <summary>Emit the file.</summary>
    [Parameter(HelpMessage = "Emit the written file.")]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (Format != LogFormat.Tree && s_ofTree.FirstOrDefault(MyInvocation.BoundParameters.ContainsKey) is string wrong)
        {
            ThrowTerminating(new ArgumentException($"-{wrong} is valid with -Format Tree only."), wrong);
        }

        string path = GetUnresolvedProviderPathFromPSPath(Path);
        if (!ShouldProcess(path, $"Write flows as {Format}"))
        {
            return;
        }

        Guard(() =>
        {
            if (Format == LogFormat.Tree)
            {
                _writer = _tree = FlowTree.Open(path,
                    new FlowTreeOptions { SkipElse = SkipElse, FoldInternet = FoldInternet, MaximumEntries = MaximumFlows, NoClobber = NoClobber });
                return;
            }

            _file = LogFile.Create(path, NoClobber);
            _writer = FlowWriter.Create(_file.Stream, Format, Style);
        });
    }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (_writer is not null)
        {
            Guard(() =>
            {
                foreach (Flow flow in InputObject)
                {
                    _writer.Write(flow);
                }
            });
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        if (_tree?.DescribeLimit($"-{nameof(MaximumFlows)}") is string limited)
        {
            WriteWarning(limited);
        }

        if (_writer is null || StopToken.IsCancellationRequested)
        {
            return;
        }

        Guard(() =>
        {
            _writer.Complete();
            _file?.Commit();
        });
        if (PassThru)
        {
            WriteObject(_tree is null ? new FileInfo(_file!.Path) : new DirectoryInfo(_tree.Path));
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _writer?.Dispose();
            _file?.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Guard(Action act)
    {
        try
        {
            act();
        }
        catch (LogFileException error)
        {
            ThrowTerminating(error, Path);
        }
    }
}
