using System.Management.Automation;
using System.Management.Automation.Language;

namespace Conntracker.PowerShell.Completion;

/// <summary>Creates completion results from words.</summary>
internal static class Words
{
    /// <summary>The words that begin with the typed text, quoted where necessary.</summary>
    public static IEnumerable<CompletionResult> Complete(string typed, IEnumerable<(string Text, string ToolTip)> candidates)
    {
        WildcardPattern pattern = WildcardPattern.Get(typed.Trim('\'', '"') + "*", WildcardOptions.IgnoreCase);
        foreach ((string text, string toolTip) in candidates.Where(each => pattern.IsMatch(each.Text)))
        {
            bool isPlain = text.All(c => char.IsLetterOrDigit(c) || c is '-' or '_' or '.');
            string quoted = isPlain ? text : $"'{CodeGeneration.EscapeSingleQuotedStringContent(text)}'";
            yield return new CompletionResult(quoted, text, CompletionResultType.ParameterValue, toolTip);
        }
    }
}
