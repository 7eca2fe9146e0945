





namespace Conntracker.Cli;

/// <summary>What a run of the program is to do.</summary>
/// <param name="Capture">How to capture.</param>
/// <param name="Output">The log's path; <c>-</c> for standard output; null for no log.</param>
/// <param name="Format">The log's format.</param>
/// <param name="Style">The text log's generation.</param>
/// <param name="Stats">Whether to print the capture's counters at the end.</param>
/// <param name="Quiet">Whether to leave out that the capture has begun and that the log is written.</param>
/// <param name="TreePath">The folder of the tree that is kept while the capture runs; null for none.</param>
/// <param name="Tree">How flows become its entries.</param>
internal sealed record RunOptions(
    CaptureOptions Capture, string? Output, LogFormat Format, LogStyle Style, bool Stats, bool Quiet, string? TreePath, FlowTreeOptions Tree);
