using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Conntracker.PowerShell.Completion;

/// <summary>Completes the names of captures.</summary>
public sealed class CaptureNameCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters) =>
        Words.Complete(wordToComplete, CaptureRegistry.All.Select(each => (each.Name, $"{each.State}, {each.FlowCount} flows")));
}
