using System.Management.Automation;
using Conntracker.PowerShell.Completion;

namespace Conntracker.PowerShell;

/// <summary>A cmdlet that works on captures, given by name (wildcards allowed) or as objects.</summary>
public abstract class CaptureCmdlet : ConntrackCmdlet
{
    /// <summary>The parameter set for names.</summary>
    protected const string ByName = "Name";

    /// <summary>The parameter set for objects.</summary>
    protected const string ByCapture = "Capture";

    /// <summary>
    /// <para type="description">The names of captures; wildcards are allowed.</para>
    /// </summary>
    [Parameter(ParameterSetName = ByName, Position = 0, ValueFromPipeline = true,
        ValueFromPipelineByPropertyName = true, HelpMessage = "The names of the captures. Wildcards are allowed.")]
    [SupportsWildcards]
    [ArgumentCompleter(typeof(CaptureNameCompleter))]
    public string[]? Name { get; set; }

    /// <summary>
    /// The captures of the pipeline element: by object or by name; all when no name is given. A name without a capture is an error of its own; a
    /// wildcard may match none.
    /// </summary>
    /// <param name="captures">Captures given as objects; null when names were given.</param>
    protected IReadOnlyList<Capture> Resolve(Capture[]? captures)
    {
        if (captures is not null)
        {
            return captures;
        }

        IReadOnlyList<Capture> all = CaptureRegistry.All;
        if (Name is null)
        {
            return all;
        }

        List<Capture> found = [];
        foreach (string name in Name)
        {
            WildcardPattern pattern = WildcardPattern.Get(name, WildcardOptions.IgnoreCase);
            int before = found.Count;
            found.AddRange(all.Where(each => pattern.IsMatch(each.Name) && !found.Contains(each)));
            if (found.Count == before && !WildcardPattern.ContainsWildcardCharacters(name) && !found.Exists(each => pattern.IsMatch(each.Name)))
            {
                WriteError(ErrorCatalog.CaptureNotFound(name));
            }
        }

        return found;
    }
}
