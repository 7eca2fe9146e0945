using System.Globalization;
using System.Text;
using Conntracker.Core.Model;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>Words that every format uses: comments, names, numbers. What comes from elsewhere cannot end a comment or a line.</summary>
internal static class PolicyText
{
    private const char Substitute = '_';
    private const string More = "...";

    /// <summary>The comment of a rule: flows, connections, times, widening, processes.</summary>
    /// <param name="rule">The rule.</param>
    /// <param name="maximum">How many bytes the comment may have.</param>
    public static string Comment(FirewallPolicyRule rule, int maximum)
    {
        StringBuilder text = new();
        text.Append(Count(rule.Flows, "flow")).Append(", ").Append(Count(rule.Connections, "connection"));
        if (Period(rule.FirstSeen, rule.LastSeen) is string period)
        {
            text.Append(", ").Append(period);
        }

        if (rule.Widening > 0)
        {
            text.Append(", ").Append(Number(rule.Widening)).Append(" not seen");
        }

        bool isFirst = true;
        foreach (string process in rule.Processes)
        {
            string next = $"{(isFirst ? "; " : ", ")}{Safe(process)}";
            if (Encoding.UTF8.GetByteCount(next) + Encoding.UTF8.GetByteCount(text.ToString()) + 2 + More.Length > maximum)
            {
                text.Append(isFirst ? "; " : ", ").Append(More);
                break;
            }

            text.Append(next);
            isFirst = false;
        }

        return text.ToString();
    }

    /// <summary>A name from elsewhere, between double quotes of a ruleset: on one line, without quotes and what escapes them.</summary>
    public static string Safe(string name)
    {
        StringBuilder safe = new(name.Length);
        foreach (char each in SafeText.Printable(name))
        {
            safe.Append(each is '"' or '\'' or '\\' or '`' or '$' ? Substitute : each);
        }

        return safe.ToString();
    }

    /// <summary>When flows were seen; null when not known.</summary>
    public static string? Period(DateTimeOffset? first, DateTimeOffset? last)
    {
        string? from = Minute(first ?? last);
        string? to = Minute(last ?? first);
        if (from is null)
        {
            return null;
        }

        return from == to ? $"{from} UTC" : from[..10] == to![..10] ? $"{from} to {to[11..]} UTC" : $"{from} to {to} UTC";
    }

    /// <summary>A number with its noun.</summary>
    public static string Count(long number, string noun) => string.Create(CultureInfo.InvariantCulture, $"{number} {noun}{(number == 1 ? "" : "s")}");

    /// <summary>A number that may be large.</summary>
    public static string Number(double number) => number < 1e15
        ? number.ToString("0", CultureInfo.InvariantCulture)
        : number.ToString("0.#e+0", CultureInfo.InvariantCulture);

    /// <summary>The lines at the top of a text: what it is, what it is made of, and what it leaves out.</summary>
    public static IEnumerable<string> Header(FirewallPolicy policy)
    {
        string period = Period(policy.FirstSeen, policy.LastSeen) is string seen ? $", seen {seen}" : "";
        string verdict = policy.DefaultVerdict == FirewallPolicyDefault.Drop ? "dropped" : "rejected";
        yield return $"Accepts what {Count(policy.Flows, "flow")} needed{period}. Everything else is {verdict}.";
        if (policy.Omitted.Count > 0)
        {
            IEnumerable<string> reasons = policy.Omitted.GroupBy(each => each.Reason).OrderBy(each => each.Key)
                .Select(each => string.Create(CultureInfo.InvariantCulture, $"{each.Count()} {Words(each.Key)}"));
            yield return $"Not accepted although seen: {string.Join(", ", reasons)}.";
        }
    }

    private static string Words(FlowOmissionReason reason) => reason switch
    {
        FlowOmissionReason.Denied => "dropped or rejected",
        FlowOmissionReason.Unanswered => "never answered",
        FlowOmissionReason.DirectionUnknown => "without a known direction",
        FlowOmissionReason.Folded => "without a known service",
        FlowOmissionReason.Excluded => "excluded",
        FlowOmissionReason.TooFewConnections => "of services with too few connections",
        _ => "with an interface whose name cannot be written",
    };

    private static string? Minute(DateTimeOffset? time) => time?.UtcDateTime.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
}
