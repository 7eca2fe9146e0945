using System.Collections.ObjectModel;
using System.Management.Automation;

namespace Conntracker.PowerShell;

/// <summary>The base of cmdlets that read the files of a ruleset.</summary>
public abstract class RulesetCmdlet : ConntrackCmdlet
{
    /// <summary>The file of a path whose wildcards are taken literally; there must be one.</summary>
    /// <param name="path">The path.</param>
    protected string ResolveLiteral(string path)
    {
        string file = GetUnresolvedProviderPathFromPSPath(path);
        if (!File.Exists(file))
        {
            ThrowTerminatingError(ErrorCatalog.RulesetNotFound(path));
        }

        return file;
    }

    /// <summary>The files of a path or a pattern. A pattern that matches no file is an error too: the ruleset would be one without rules.</summary>
    /// <param name="path">The path.</param>
    protected Collection<string> ResolveWildcards(string path)
    {
        Collection<string> found = [];
        try
        {
            found = GetResolvedProviderPathFromPSPath(path, out _);
        }
        catch (ItemNotFoundException)
        {
            // Reported below, with what it means here.
        }

        if (found.Count == 0)
        {
            ThrowTerminatingError(ErrorCatalog.RulesetNotFound(path));
        }

        return found;
    }
}
