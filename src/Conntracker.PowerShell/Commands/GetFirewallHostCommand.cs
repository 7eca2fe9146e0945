using System.Collections.ObjectModel;
using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell.Commands;

/// <summary>
/// <para type="synopsis">Describes this host, or reads the description of a host from a file.</para>
/// </summary>
[Cmdlet(VerbsCommon.Get, "FirewallHost", DefaultParameterSetName = Live)]
[OutputType(typeof(FirewallHost))]
public sealed class GetFirewallHostCommand : ConntrackCmdlet
{
    private const string Live = "Live";
    private const string ByPath = "Path";

    /// <summary>The network namespace.</summary>
    [Parameter(
        ParameterSetName = Live,
        HelpMessage = "The network namespace: a name as 'ip netns' shows it, or a path. Default: the one of this process.")]
    [ArgumentCompleter(typeof(NetworkNamespaceCompleter))]
    [ValidateNotNullOrEmpty]
    public string? NetworkNamespace { get; set; }

    /// <summary>The files with descriptions.</summary>
    [Parameter(
        ParameterSetName = ByPath,
        Mandatory = true,
        Position = 0,
        ValueFromPipeline = true,
        HelpMessage = "Files of 'conntracker host' (JSON) or Export-Clixml. Wildcards are allowed.")]
    [SupportsWildcards]
    [ValidateNotNullOrEmpty]
    public string[] Path { get; set; } = [];

    /// <inheritdoc/>
    protected override void ProcessRecord()
    {
        if (ParameterSetName == Live)
        {
            Read();
            return;
        }

        foreach (string path in Path.SelectMany(ResolveWildcards))
        {
            try
            {
                WriteObject(FirewallHostFile.Read(path), enumerateCollection: true);
            }
            catch (ConntrackException error)
            {
                WriteError(ErrorCatalog.Record(error, path));
            }
        }
    }

    private void Read()
    {
        try
        {
            FirewallHost host = RunWithProgress("Reading the host", status: null, stop => FirewallHostReader.Read(NetworkNamespace, stop));
            foreach (string notice in host.Notices)
            {
                WriteWarning(notice);
            }

            WriteObject(host);
        }
        catch (ConntrackException error)
        {
            ThrowTerminating(error, NetworkNamespace);
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
            WriteError(new ErrorRecord(error, "HostDescriptionNotFound", ErrorCategory.ObjectNotFound, path));
            return [];
        }
    }
}
