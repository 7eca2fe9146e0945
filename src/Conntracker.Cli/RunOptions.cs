namespace Conntracker.Cli;

/// <summary>The options of a run of the program.</summary>
/// <param name="Capture">The options of the capture.</param>
/// <param name="Output">The log's path; <c>-</c> for standard output; null for no log.</param>
/// <param name="Format">The log's format.</param>
/// <param name="Style">The generation of the text log.</param>
/// <param name="Stats">Whether to print the capture's counters at the end.</param>
/// <param name="Quiet">Whether to omit the messages that the capture has begun and that the log is written.</param>
/// <param name="TreePath">The directory of the tree that is updated while the capture runs; null for none.</param>
/// <param name="Tree">How flows become its entries.</param>
internal sealed record RunOptions(
    CaptureOptions Capture, string? Output, LogFormat Format, LogStyle Style, bool Stats, bool Quiet, string? TreePath, FlowTreeOptions Tree);
