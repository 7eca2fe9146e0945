namespace Conntracker.Core.Policies.Suggestions;

/// <summary>What was seen of the flows behind a rule.</summary>
internal sealed class PolicyUsage
{
    // A rule names a few processes; a host where each flow has a name of its own must not fill the memory.
    private const int MaximumProcesses = 64;
    private const int ShownProcesses = 16;

    private readonly Dictionary<string, long> _processes = [];

    /// <summary>Flows.</summary>
    public long Flows { get; private set; }

    /// <summary>Connections of these flows.</summary>
    public long Connections { get; private set; }

    /// <summary>The earliest <see cref="Flow.FirstSeen"/>.</summary>
    public DateTimeOffset? FirstSeen { get; private set; }

    /// <summary>The latest <see cref="Flow.LastSeen"/>.</summary>
    public DateTimeOffset? LastSeen { get; private set; }

    /// <summary>How many different combinations of source, destination and service were seen.</summary>
    public double Seen { get; set; }

    /// <summary>Names of processes, most connections first.</summary>
    public IReadOnlyList<string> Processes =>
        [.. _processes.OrderByDescending(each => each.Value).ThenBy(each => each.Key, StringComparer.Ordinal).Select(each => each.Key).Take(ShownProcesses)];

    /// <summary>Counts a flow.</summary>
    public void Add(Flow flow)
    {
        Flows++;
        Connections += flow.Connections;
        Widen(flow.FirstSeen, flow.LastSeen ?? flow.FirstSeen);
        if (flow.Process is not null)
        {
            AddProcess(flow.Process.Name, flow.Connections);
        }
    }

    /// <summary>Adds what was seen of other flows.</summary>
    public void Add(PolicyUsage other)
    {
        Flows += other.Flows;
        Connections += other.Connections;
        Seen += other.Seen;
        Widen(other.FirstSeen, other.LastSeen);
        foreach ((string name, long connections) in other._processes)
        {
            AddProcess(name, connections);
        }
    }

    private void Widen(DateTimeOffset? first, DateTimeOffset? last)
    {
        FirstSeen = FirstSeen is null || first < FirstSeen ? first ?? FirstSeen : FirstSeen;
        LastSeen = LastSeen is null || last > LastSeen ? last ?? LastSeen : LastSeen;
    }

    private void AddProcess(string name, long connections)
    {
        if (_processes.TryGetValue(name, out long before) || _processes.Count < MaximumProcesses)
        {
            _processes[name] = before + connections;
        }
    }
}
