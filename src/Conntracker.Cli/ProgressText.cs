using System.Globalization;

namespace Conntracker.Cli;

/// <summary>Progress messages: that the run has begun, and that its log is written.</summary>
internal static class ProgressText
{
    /// <summary>Describes what is captured, how it ends, and where the flows go.</summary>
    public static string Begun(RunOptions options) => $"{Subject(options.Capture)}. {End(options.Capture)} {Destination(options)}";

    /// <summary>Reports that a log was written.</summary>
    /// <param name="flows">The flows of the capture. A log may have fewer or more lines, depending on its style.</param>
    /// <param name="output">The log's path, or <c>-</c>.</param>
    public static string Written(long flows, string output) =>
        string.Create(CultureInfo.InvariantCulture, $"wrote the log of {flows} {(flows == 1 ? "flow" : "flows")} to {Name(output)}.");

    private static string Subject(CaptureOptions capture)
    {
        if (capture.PcapPath is string file)
        {
            return $"reading packets from '{file}'";
        }

        string where = capture.NetworkNamespace is string name ? $"the network namespace '{name}'" : "the current network namespace";
        return capture.Interface switch
        {
            null => $"capturing flows in {where}",
            "any" => $"capturing packets of all interfaces in {where}",
            string one => $"capturing packets of the interface '{one}' in {where}",
        };
    }

    private static string End(CaptureOptions capture) => (capture.PcapPath, capture.Duration) switch
    {
        (not null, _) => "It ends with the file, or earlier with Ctrl+C or SIGTERM.",
        (_, TimeSpan duration) =>
            string.Create(CultureInfo.InvariantCulture, $"It ends after {duration.TotalSeconds:0.###} s, or earlier with Ctrl+C or SIGTERM."),
        _ => "Ctrl+C or SIGTERM ends it.",
    };

    private static string Destination(RunOptions options) => (options.Output, options.TreePath) switch
    {
        (string log, null) => $"The log goes to {Name(log)}.",
        (string log, string tree) => $"The log goes to {Name(log)}, the tree is in '{tree}'.",
        (null, string tree) => $"The tree is in '{tree}'; no log is written.",
        _ => "No log is written.",
    };

    private static string Name(string output) => output == LogOutput.StandardOutput ? "standard output" : $"'{output}'";
}
