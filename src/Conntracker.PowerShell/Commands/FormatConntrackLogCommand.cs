using System.Management.Automation;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Formats flows as the lines of a text log.</para>
/// </summary>
[Cmdlet(VerbsCommon.Format, "ConntrackLog")]
[OutputType(typeof(string))]
public sealed class FormatConntrackLogCommand : ConntrackCmdlet
{
    private readonly MemoryStream _text = new();
    private IFlowWriter? _writer;

    /// <summary>The flows.</summary>
    [Parameter(Mandatory = true, Position = 0, ValueFromPipeline = true, HelpMessage = "The flows.")]
    public Flow[] InputObject { get; set; } = [];

    /// <summary>The generation of the log.</summary>
    [Parameter(HelpMessage = "The version of the text log. The default is V3.")]
    public LogStyle Style { get; set; } = LogStyle.V3;

    /// <inheritdoc/>
    protected override void BeginProcessing() => _writer = FlowWriter.Create(_text, LogFormat.Text, Style);

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (Flow flow in InputObject)
        {
            _writer!.Write(flow);
        }
    }

    /// <inheritdoc/>
    protected override void EndProcessing()
    {
        // Lines are sorted, so the first can be emitted only after the last flow has arrived.
        _writer!.Complete();
        _text.Position = 0;
        using StreamReader lines = new(_text);
        while (!StopToken.IsCancellationRequested && lines.ReadLine() is string line)
        {
            WriteObject(line);
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _writer?.Dispose();
            _text.Dispose();
        }

        base.Dispose(disposing);
    }
}
