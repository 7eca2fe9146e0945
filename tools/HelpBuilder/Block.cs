namespace Conntracker.HelpBuilder;

/// <summary>A part of a page, with the line that it begins at, counted from 1.</summary>
internal abstract record Block(int Line);

/// <summary>A heading: <c>## Synopsis</c> has the level 2.</summary>
internal sealed record Heading(int Line, int Level, string Text) : Block(Line);

/// <summary>A paragraph, on one line.</summary>
internal sealed record Paragraph(int Line, string Text) : Block(Line);

/// <summary>An item of a list, on one line.</summary>
internal sealed record ListItem(int Line, string Text) : Block(Line);

/// <summary>A fenced block of code or output, as it is written.</summary>
internal sealed record Code(int Line, string Language, string Text) : Block(Line);

/// <summary>A table: the header and the rows below it.</summary>
internal sealed record Table(int Line, IReadOnlyList<string> Header, IReadOnlyList<IReadOnlyList<string>> Rows) : Block(Line);
