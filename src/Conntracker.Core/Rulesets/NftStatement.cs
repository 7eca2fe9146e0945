namespace Conntracker.Core.Rulesets;

/// <summary>One rule, or one declaration, of a block of nft's output: spans into the text.</summary>
internal ref struct NftStatement
{
    /// <summary>The statement, without indent, handle and comment; it may span several lines.</summary>
    public ReadOnlySpan<char> Text;

    /// <summary>The comment without its quotes, when <see cref="HasComment"/>.</summary>
    public ReadOnlySpan<char> Comment;

    /// <summary>Whether it ends with a comment.</summary>
    public bool HasComment;

    /// <summary>Whether it has a reject statement of its own, outside strings and braces.</summary>
    public bool Rejects;

    /// <summary>The rule's handle; null for a declaration.</summary>
    public ulong? Handle;
}
