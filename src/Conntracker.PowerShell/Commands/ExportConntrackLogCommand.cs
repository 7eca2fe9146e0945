using System.Management.Automation;
using Conntracker.Core.Export;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Writes flows to a file: a text log of any generation, JSON, JSON lines or CSV; or as a tree of folders for firewall rules.</para>
/// </summary>
[Cmdlet(VerbsData.Export, "ConntrackLog", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo), typeof(DirectoryInfo))]
public sealed class ExportConntrackLogCommand : ConntrackCmdlet
{
    private static readonly string[] s_ofTree = [nameof(SkipElse), nameof(FoldInternet), nameof(MaximumFlows)];

    private LogFile? _file;
    private FlowTree? _tree;
    private IFlowWriter? _writer;

    /// <summary>The file, or the tree's folder.</summary>
    [Parameter(Mandatory = true, Position = 0, HelpMessage = "The file; it takes its place only when it is complete. With -Format Tree the folder.")]
    [ValidateNotNullOrEmpty]
    public string Path { get; set; } = "";

    /// <summary>The flows.</summary>
    [Parameter(Mandatory = true, ValueFromPipeline = true, HelpMessage = "The flows.")]
    public Flow[] InputObject { get; set; } = [];

    /// <summary>The generation of a text log.</summary>
    [Parameter(HelpMessage = "The generation of a text log; V3 when none is given.")]
    public LogStyle Style { get; set; } = LogStyle.V3;

    /// <summary>The format.</summary>
    [Parameter(HelpMessage = "The format; Text when none is given.")]
    public LogFormat Format { get; set; } = LogFormat.Text;

    /// <summary>Leave out of a tree what neither comes in nor goes out.</summary>
    [Parameter(HelpMessage = "With -Format Tree: leave out what neither comes in nor goes out.")]
    public SwitchParameter SkipElse { get; set; }

    /// <summary>Of which flows a tree tells the far end as the internet.</summary>
    [Parameter(HelpMessage = "With -Format Tree: of which flows the far end becomes INTERNET where its address is routed there; Both when none is given.")]
    public InternetFolding FoldInternet { get; set; } = InternetFolding.Both;

    /// <summary>How many entries a tree may hold.</summary>
    [Parameter(HelpMessage = "With -Format Tree: how many entries the tree may hold before further ones are folded into subnets; 1,000,000 when none is given.")]
    [ValidateRange(1, CaptureOptions.MaximumOfMaximumFlows)]
    public int MaximumFlows { get; set; } = FlowTreeOptions.DefaultMaximumEntries;

    /// <summary>Refuse to replace a file.</summary>
    [Parameter(HelpMessage = "Do not replace a file that is there; with -Format Tree, add to no folder that holds anything.")]
    public SwitchParameter NoClobber { get; set; }

    /// <summary>Hand the file on.</summary>
    [Parameter(HelpMessage = "Hand the written file on.")]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        if (Format != LogFormat.Tree && s_ofTree.FirstOrDefault(MyInvocation.BoundParameters.ContainsKey) is string wrong)
        {
            ThrowTerminating(new ArgumentException($"-{wrong} goes with -Format Tree only: other formats hold every flow as it is."), wrong);
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
                _writer = _tree = FlowTree.Open(path, new FlowTreeOptions { SkipElse = SkipElse, FoldInternet = FoldInternet, MaximumEntries = MaximumFlows, NoClobber = NoClobber });
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
