using Conntracker.Core.Rulesets;

namespace Conntracker;

/// <summary>A ruleset to load: a file, or a text.</summary>
public sealed record RulesetSource
{
    /// <summary>The format.</summary>
    public required RulesetFormat Format { get; init; }

    /// <summary>The full path of the file; null for a text. Files that it includes are read as nft reads them.</summary>
    public string? Path { get; init; }

    /// <summary>The text; null for a file.</summary>
    public string? Text { get; init; }

    /// <summary>A file, with the format that its content shows.</summary>
    /// <param name="path">The file's path.</param>
    /// <param name="usesNft">
    /// Whether a file of iptables-save that does not say which program wrote it is loaded with iptables-nft; otherwise with iptables-legacy.
    /// </param>
    /// <exception cref="IOException">The file cannot be read.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    public static RulesetSource FromFile(string path, bool usesNft = false)
    {
        string full = System.IO.Path.GetFullPath(path);
        return new RulesetSource { Format = RulesetFormats.Detect(File.ReadAllText(full), System.IO.Path.GetFileName(full), usesNft), Path = full };
    }

    /// <summary>The rulesets that are loaded now: nftables, and iptables of both engines. Conntracker's own table is left out.</summary>
    /// <param name="networkNamespace">The network namespace, a name of <c>ip netns</c> or a path; null for that of the calling thread.</param>
    /// <param name="cancellation">Ends the programs that read them.</param>
    /// <exception cref="ConntrackException">A program or the namespace is missing, or a program failed.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static IReadOnlyList<RulesetSource> ReadCurrent(string? networkNamespace = null, CancellationToken cancellation = default) =>
        NetworkNamespace.Run(networkNamespace, () => CurrentRulesets.Read(cancellation));

    /// <summary>The path, or what the text is.</summary>
    public override string ToString() => Path ?? $"a text of {Format}";
}
