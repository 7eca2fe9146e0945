using System.Globalization;

namespace Conntracker.Core.Hosts;

/// <summary>Counts what is left out of a host's description, by reason, and says so in one sentence each.</summary>
internal sealed class HostOmissions
{
    private const int MaximumRules = 20;

    private readonly SortedDictionary<string, int> _routes = new(StringComparer.Ordinal);
    private readonly List<string> _rules = [];
    private readonly List<string> _others = [];
    private int _multipath;
    private int _moreRules;

    /// <summary>A route is left out.</summary>
    /// <param name="reason">Why, as in "they depend on …".</param>
    public void AddRoute(string reason) => _routes[reason] = _routes.GetValueOrDefault(reason) + 1;

    /// <summary>Of a route only the first hop is described.</summary>
    public void AddMultipath() => _multipath++;

    /// <summary>A rule is left out because it has a condition or an action that a description lacks.</summary>
    public void AddRule(FlowFamily family, uint priority)
    {
        if (_rules.Count == MaximumRules)
        {
            _moreRules++;
            return;
        }

        _rules.Add(string.Create(CultureInfo.InvariantCulture, $"{priority} ({family})"));
    }

    /// <summary>Adds what another counter holds.</summary>
    public void Add(HostOmissions other) => _others.AddRange(other.ToNotices());

    /// <summary>Anything else that is left out, as a sentence.</summary>
    public void Add(string sentence) => _others.Add(sentence);

    /// <summary>More was found than the limit allows.</summary>
    /// <param name="what">What was found, in the plural and with a capital letter.</param>
    /// <param name="limit">The limit.</param>
    /// <param name="beyond">How many were left out.</param>
    public void AddBeyond(string what, int limit, long beyond) =>
        _others.Add(string.Create(CultureInfo.InvariantCulture, $"{what} left out beyond the limit of {limit}: {beyond}."));

    /// <summary>What was left out, one sentence each.</summary>
    public IReadOnlyList<string> ToNotices()
    {
        List<string> notices = [];
        notices.AddRange(_routes.Select(each => string.Create(CultureInfo.InvariantCulture, $"Routes left out because {each.Key}: {each.Value}.")));
        if (_multipath > 0)
        {
            notices.Add(string.Create(CultureInfo.InvariantCulture, $"Routes with several next hops, of which only the first one is described: {_multipath}."));
        }

        if (_rules.Count > 0)
        {
            string more = _moreRules == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" and {_moreRules} more");
            notices.Add("The routing rules with these preferences were left out because they have conditions or actions that a description cannot hold: "
                + $"{string.Join(", ", _rules)}{more}.");
        }

        return [.. notices, .. _others];
    }
}
