using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Conntracker.PowerShell.Completion;

/// <summary>Completes the names of network namespaces, as <c>ip netns</c> shows them.</summary>
public sealed class NetworkNamespaceCompleter : IArgumentCompleter
{
    private const string NamedDirectory = "/run/netns";

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        IEnumerable<string> names = Directory.Exists(NamedDirectory) ? Directory.EnumerateFiles(NamedDirectory).Select(Path.GetFileName).OfType<string>() : [];
        return Words.Complete(wordToComplete, names.Order(StringComparer.Ordinal).Select(name => (name, $"{NamedDirectory}/{name}")));
    }
}
