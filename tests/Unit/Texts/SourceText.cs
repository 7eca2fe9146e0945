namespace Conntracker.Tests.Unit.Texts;

/// <summary>What a piece of text in a source file is.</summary>
internal enum SourceTextKind
{
    /// <summary>The content of a string literal.</summary>
    Literal,

    /// <summary>A comment.</summary>
    Comment,
}

/// <summary>A piece of text in a source file.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Line">The line of its first character, from 1.</param>
/// <param name="Text">The text. Escape sequences are spaces; the expressions of an interpolated string are <c>{}</c>.</param>
internal sealed record SourceText(SourceTextKind Kind, int Line, string Text);
