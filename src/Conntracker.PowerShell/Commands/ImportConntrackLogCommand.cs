using System.Collections.ObjectModel;
using System.Management.Automation;
using Conntracker.Core.Export;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Reads flows from files: text logs of all generations, JSON, JSON lines or CSV.</para>
/// </summary>
[Cmdlet(VerbsData.Import, "ConntrackLog", DefaultParameterSetName = ByPath)]
[OutputType(typeof(Flow))]
public sealed class ImportConntrackLogCommand : ConntrackCmdlet
{
    private const string ByPath = "Path";
    private const string ByLiteralPath = "LiteralPath";

    /// <summary>The files.</summary>
    [Parameter(ParameterSetName = ByPath, Mandatory = true, Position = 0, ValueFromPipeline = true, HelpMessage = "The files; wildcards are allowed.")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The files, taken as they are written.</summary>
    [Parameter(ParameterSetName = ByLiteralPath, Mandatory = true, ValueFromPipelineByPropertyName = true, HelpMessage = "The files, taken as they are written.")]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The format.</summary>
    [Parameter(HelpMessage = "The format; told by the content when none is given.")]
    public LogFormat? Format { get; set; }

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        foreach (string path in ParameterSetName == ByPath ? Path.SelectMany(ResolveWildcards) : LiteralPath.Select(GetUnresolvedProviderPathFromPSPath))
        {
            Read(path);
        }
    }

    private Collection<string> ResolveWildcards(string path)
    {
        try
        {
            return GetResolvedProviderPathFromPSPath(path, out _);
        }
        catch (ItemNotFoundException error)
        {
            WriteError(new ErrorRecord(error, "LogNotFound", ErrorCategory.ObjectNotFound, path));
            return [];
        }
    }

    private void Read(string path)
    {
        // The system's own word for it would be "access denied", and root would be tried in vain.
        if (Directory.Exists(path))
        {
            WriteError(ErrorCatalog.Record(new FileNotFoundException($"'{path}' is a folder. Name a file, or the files in it: '{path}/*.log'."), path));
            return;
        }

        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            foreach (Flow flow in FlowReader.Read(file, Format, error => WriteError(ErrorCatalog.Record(error, path))))
            {
                if (StopToken.IsCancellationRequested)
                {
                    return;
                }

                WriteObject(flow);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            WriteError(ErrorCatalog.Record(error, path));
        }
    }
}
