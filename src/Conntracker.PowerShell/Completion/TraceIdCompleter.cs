using System.Collections;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Conntracker.PowerShell.Completion;

/// <summary>Completes the numbers of traces; the tooltip shows what is traced.</summary>
public class TraceIdCompleter : IArgumentCompleter
{
    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        WildcardPattern? name = fakeBoundParameters["Name"] is string typed ? WildcardPattern.Get(typed, WildcardOptions.IgnoreCase) : null;
        IEnumerable<FlowTrace> traces = CaptureRegistry.All.Where(each => name?.IsMatch(each.Name) != false)
            .SelectMany(each => each.GetTraces()).Where(IsOffered);
        return Words.Complete(
            wordToComplete,
            traces.DistinctBy(each => each.Id).Select(each => (each.Id.ToString(CultureInfo.InvariantCulture), $"{each.Target}, by {each.Capture}")));
    }

    /// <summary>Whether a trace is offered.</summary>
    protected virtual bool IsOffered(FlowTrace trace) => true;
}

/// <summary>Completes the numbers of traces that can be ended.</summary>
public sealed class ActiveTraceIdCompleter : TraceIdCompleter
{
    /// <inheritdoc/>
    protected override bool IsOffered(FlowTrace trace) => trace is { IsActive: true, Id: not 0 };
}
