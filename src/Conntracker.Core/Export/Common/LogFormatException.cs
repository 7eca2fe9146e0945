using System.Text;
using Conntracker.Core.Model;

namespace Conntracker;

/// <summary>
/// Part of a file does not conform to its format. Readers pass it to their caller, who decides whether to continue; they do not throw it.
/// </summary>
public sealed class LogFormatException : FormatException
{
    private const int LongestExcerpt = 120;

    /// <summary>Creates an error.</summary>
    /// <param name="format">The format that the file was read as.</param>
    /// <param name="number">The number of the line, of the element of a JSON array, or of the name in a tree, counted from 1.</param>
    /// <param name="text">The text at fault; shortened here.</param>
    /// <param name="reason">What is wrong with it, and what was expected.</param>
    public LogFormatException(LogFormat format, long number, ReadOnlySpan<byte> text, string reason)
        : this(format, number, Excerpt(text), reason)
    {
    }

    private LogFormatException(LogFormat format, long number, string text, string reason)
        : base($"{(format == LogFormat.Json ? "Element" : format == LogFormat.Tree ? "Entry" : "Line")} {number}: " +
            $"{reason}{(text.Length > 0 ? $" It reads: {text}" : "")}")
    {
        Format = format;
        Number = number;
        Text = text;
        Reason = reason;
    }

    /// <summary>The format that the file was read as.</summary>
    public LogFormat Format { get; }

    /// <summary>
    /// The line's number, counted from 1; for a JSON array the element's, for a tree that of the name in the order in which they were read.
    /// </summary>
    public long Number { get; }

    /// <summary>The beginning of the text at fault, with its control characters replaced; empty when there is nothing to show.</summary>
    public string Text { get; }

    /// <summary>What is wrong with it, and what was expected.</summary>
    public string Reason { get; }

    private static string Excerpt(ReadOnlySpan<byte> text)
    {
        text = text.TrimEnd("\r\n"u8);
        string excerpt = SafeText.Printable(Encoding.UTF8.GetString(text[..Math.Min(text.Length, LongestExcerpt)]));
        return text.Length > LongestExcerpt ? excerpt + "…" : excerpt;
    }
}
