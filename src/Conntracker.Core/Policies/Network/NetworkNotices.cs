using System.Globalization;

namespace Conntracker.Core.Policies.Network;

/// <summary>What of a host could not be built: the first sentences, and how many more there are.</summary>
internal sealed class NetworkNotices
{
    private const int Maximum = 20;

    private readonly List<string> _first = [];
    private int _count;

    /// <summary>Adds a sentence.</summary>
    public void Add(string notice)
    {
        _count++;
        if (_first.Count < Maximum)
        {
            _first.Add(notice);
        }
    }

    /// <summary>The first sentences; the last one says how many are left out.</summary>
    public IReadOnlyList<string> ToList() => _count <= Maximum
        ? [.. _first]
        : [.. _first, string.Create(CultureInfo.InvariantCulture, $"{_count - Maximum} more parts of the host could not be built.")];
}
