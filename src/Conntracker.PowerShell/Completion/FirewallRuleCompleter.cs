using System.Collections;
using System.Management.Automation;
using System.Management.Automation.Language;

namespace Conntracker.PowerShell.Completion;

/// <summary>Completes what the loaded rules have: tables, chains, hooks, owners and verdicts, of the namespace that <c>-NetworkNamespace</c> names.</summary>
public sealed class FirewallRuleCompleter : IArgumentCompleter
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    /// <inheritdoc/>
    public IEnumerable<CompletionResult> CompleteArgument(
        string commandName, string parameterName, string wordToComplete, CommandAst commandAst, IDictionary fakeBoundParameters)
    {
        string? where = (fakeBoundParameters["NetworkNamespace"] as string)?.Trim('\'', '"');
        IEnumerable<(string Text, string ToolTip)> words = Rules(where)
            .Select(rule => (Text: Value(rule, parameterName), ToolTip: $"{rule.Family} {rule.Table} {rule.Chain}"))
            .Where(word => word.Text is not null)
            .Select(word => (word.Text!, parameterName == "Chain" ? word.ToolTip : word.Text!))
            .DistinctBy(word => word.Item1)
            .OrderBy(word => word.Item1, StringComparer.Ordinal);
        return Words.Complete(wordToComplete, words);
    }

    private static IReadOnlyList<FirewallRule> Rules(string? where)
    {
        try
        {
            using CancellationTokenSource deadline = new(s_patience);
            return FirewallRules.Read(where, deadline.Token);
        }
        catch (Exception error) when (error is ConntrackException or OperationCanceledException)
        {
            // Completion reports no errors: the command itself will.
            return [];
        }
    }

    private static string? Value(FirewallRule rule, string parameter) => parameter switch
    {
        "Table" => rule.Table,
        "Chain" => rule.Chain,
        "Hook" => rule.Hook,
        "Owner" => rule.Owner,
        "Verdict" => rule.Verdict,
        _ => null,
    };
}
