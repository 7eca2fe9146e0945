namespace Conntracker.Core.Policies.Trials;

/// <summary>Rulesets from files.</summary>
internal static class RulesetFiles
{
    /// <summary>Recognizes the files' formats.</summary>
    /// <exception cref="ConntrackException">A file cannot be read.</exception>
    public static IReadOnlyList<RulesetSource> Read(IReadOnlyList<string> paths, bool usesNft)
    {
        List<RulesetSource> sources = [];
        foreach (string path in paths)
        {
            try
            {
                sources.Add(RulesetSource.FromFile(path, usesNft));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new ConntrackException(ConntrackErrorReason.RulesetInvalid, $"The ruleset '{path}' cannot be read: {error.Message}", error);
            }
        }

        return sources;
    }
}
