using Conntracker.Core.Export;

namespace Conntracker.Cli;

/// <summary>What a run of the program is to do.</summary>
/// <param name="Capture">How to capture.</param>
/// <param name="Output">The log's path; <c>-</c> for standard output; null for no log.</param>
/// <param name="Format">The log's format.</param>
/// <param name="Style">The text log's generation.</param>
/// <param name="Stats">Whether to print the receipt at the end.</param>
/// <param name="TreePath">The folder of the tree that is kept while the capture runs; null for none.</param>
/// <param name="Tree">How flows become its entries.</param>
internal sealed record RunOptions(
    CaptureOptions Capture, string? Output, LogFormat Format, LogStyle Style, bool Stats, string? TreePath, FlowTreeOptions Tree);
