using System.Management.Automation;
using Conntracker.Core.Export;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Writes flows to a file: a text log of any generation, JSON, JSON lines or CSV.</para>
/// </summary>
[Cmdlet(VerbsData.Export, "ConntrackLog", SupportsShouldProcess = true)]
[OutputType(typeof(FileInfo))]
public sealed class ExportConntrackLogCommand : ConntrackCmdlet
{
    private LogFile? _file;
    private IFlowWriter? _writer;

    /// <summary>The file.</summary>
    [Parameter(Mandatory = true, Position = 0, HelpMessage = "The file. It takes its place only when it is complete.")]
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

    /// <summary>Refuse to replace a file.</summary>
    [Parameter(HelpMessage = "Do not replace a file that is there.")]
    public SwitchParameter NoClobber { get; set; }

    /// <summary>Hand the file on.</summary>
    [Parameter(HelpMessage = "Hand the written file on.")]
    public SwitchParameter PassThru { get; set; }

    /// <inheritdoc/>
    protected override void BeginProcessing()
    {
        string path = GetUnresolvedProviderPathFromPSPath(Path);
        if (!ShouldProcess(path, $"Write flows as {Format}"))
        {
            return;
        }

        Guard(() =>
        {
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
        if (_writer is null || _file is null || StopToken.IsCancellationRequested)
        {
            return;
        }

        Guard(() =>
        {
            _writer.Complete();
            _file.Commit();
        });
        if (PassThru)
        {
            WriteObject(new FileInfo(_file.Path));
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
