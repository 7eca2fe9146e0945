namespace Conntracker.Cli;

/// <summary>What a run of the program is to do.</summary>
/// <param name="Capture">How to capture.</param>
/// <param name="Output">The log's path; <c>-</c> for standard output.</param>
/// <param name="Format">The log's format.</param>
/// <param name="Style">The text log's generation.</param>
/// <param name="Stats">Whether to print the receipt at the end.</param>
internal sealed record RunOptions(CaptureOptions Capture, string Output, LogFormat Format, LogStyle Style, bool Stats);
