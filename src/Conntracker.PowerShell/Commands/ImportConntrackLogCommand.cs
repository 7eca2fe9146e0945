using System.Collections.ObjectModel;
using System.Management.Automation;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Reads flows from files: text logs of all generations, JSON, JSON lines or CSV; and from trees of directories.</para>
/// </summary>
[Cmdlet(VerbsData.Import, "ConntrackLog", DefaultParameterSetName = ByPath)]
[OutputType(typeof(Flow))]
public sealed class ImportConntrackLogCommand : ConntrackCmdlet
{
    private const string ByPath = "Path";
    private const string ByLiteralPath = "LiteralPath";

    /// <summary>The files, or the directories of trees.</summary>
    [Parameter(ParameterSetName = ByPath, Mandatory = true, Position = 0, ValueFromPipeline = true,
        HelpMessage = "The files, or directories of trees. Wildcards are allowed.")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <summary>The files, or the directories of trees; wildcards are taken literally.</summary>
    [Parameter(ParameterSetName = ByLiteralPath, Mandatory = true, ValueFromPipelineByPropertyName = true,
        HelpMessage = "The files, or directories of trees. Wildcards are taken literally.")]
    [Alias("PSPath", "FullName")]
    [ValidateNotNullOrEmpty]
    public string[] LiteralPath { get; set; } = [];

    /// <summary>The format.</summary>
    [Parameter(HelpMessage = "The format. By default, the content determines it.")]
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
        bool isDirectory = Directory.Exists(path);
        if (isDirectory && !(Format == LogFormat.Tree || (Format is null && FlowReader.IsTree(path))))
        {
            // The system would report "access denied", and the user would retry as root in vain.
            WriteError(ErrorCatalog.Record(new FileNotFoundException(
                $"'{path}' is a directory, but not a tree of 'Export-ConntrackLog -Format Tree'. Specify a file, or the files in it: '{path}/*.log'."), path));
            return;
        }

        if (!isDirectory && Format == LogFormat.Tree && File.Exists(path))
        {
            WriteError(ErrorCatalog.Record(new DirectoryNotFoundException($"'{path}' is a file, and a tree is a directory. " +
                "Omit -Format, or specify the directory."), path));
            return;
        }

        try
        {
            if (isDirectory || Format == LogFormat.Tree)
            {
                Write(FlowReader.ReadTree(path, error => WriteError(ErrorCatalog.Record(error, path))));
                return;
            }

            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            Write(FlowReader.Read(file, Format, error => WriteError(ErrorCatalog.Record(error, path))));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            WriteError(ErrorCatalog.Record(error, path));
        }
    }

    private void Write(IEnumerable<Flow> flows)
    {
        foreach (Flow flow in flows)
        {
            if (StopToken.IsCancellationRequested)
            {
                return;
            }

            WriteObject(flow);
        }
    }
}
