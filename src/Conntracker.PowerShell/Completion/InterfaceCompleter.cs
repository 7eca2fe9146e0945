using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Conntracker.PowerShell.Completion;

/// <summary>
/// Completes the names of interfaces, and for a capture <c>any</c>: those of the network namespace that <c>-NetworkNamespace</c> names, else of the
/// process's own.
/// The tooltip shows which have traffic.
/// </summary>
public class InterfaceNameCompleter : IArgumentCompleter
{
    // Shows the calling thread's namespace; /sys/class/net would show that of the process that mounted /sys.
    private const string Table = "/proc/thread-self/net/dev";

    private const int ReceivedPackets = 1;
    private const int SentPackets = 9;

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        string? where = (fakeBoundParameters["NetworkNamespace"] as string)?.Trim('\'', '"');
        return Words.Complete(wordToComplete, [.. Interfaces(where), .. Others]);
    }

    /// <summary>Words that are offered besides the names.</summary>
    protected virtual IEnumerable<(string Name, string ToolTip)> Others => [];

    private static List<(string Name, string ToolTip)> Interfaces(string? networkNamespace)
    {
        List<(string Name, string ToolTip)> found = [];

        // A thread of its own: one that has entered a namespace stays there.
        Thread thread = new(() =>
        {
            try
            {
                if (networkNamespace is not null)
                {
                    NetworkNamespace.Enter(networkNamespace);
                }

                foreach (string line in File.ReadLines(Table).Skip(2))
                {
                    found.Add(Parse(line));
                }
            }
            catch (Exception error) when (error is ConntrackException or IOException or UnauthorizedAccessException)
            {
                // Completion reports no errors: the command itself will.
            }
        });
        thread.Start();
        thread.Join();
        return found;
    }

    // "  eth0: 1234 12 0 0 0 0 0 0 5678 34 0 0 0 0 0 0": bytes, packets, …, received, then sent. A name cannot end with a colon.
    private static (string Name, string ToolTip) Parse(string line)
    {
        int end = line.LastIndexOf(':');
        string name = line[..Math.Max(end, 0)].Trim();
        string[] counters = line[(end + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return (name, counters.Length > SentPackets
            ? string.Create(CultureInfo.InvariantCulture, $"{counters[ReceivedPackets]} packets received, {counters[SentPackets]} sent")
            : name);
    }
}

/// <summary>Completes what a capture can read packets from.</summary>
public sealed class InterfaceCompleter : InterfaceNameCompleter
{
    /// <inheritdoc/>
    protected override IEnumerable<(string Name, string ToolTip)> Others => [("any", "every interface")];
}
