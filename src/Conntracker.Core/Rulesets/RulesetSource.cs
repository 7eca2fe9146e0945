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

    /// <summary>The path, or what the text is.</summary>
    public override string ToString() => Path ?? $"a text of {Format}";
}
