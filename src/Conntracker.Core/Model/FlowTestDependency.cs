namespace Conntracker;

/// <summary>What else the verdict on a flow depends on, because a rule on its path does.</summary>
[Flags]
public enum FlowTestDependency : byte
{
    /// <summary>Nothing: the same packet always gets the same verdict.</summary>
    None = 0,

    /// <summary>The rate of packets: <c>limit</c>, <c>hashlimit</c>, a meter.</summary>
    Rate = 1,

    /// <summary>
    /// What other packets left behind: <c>ct count</c>, <c>connlimit</c>, <c>recent</c>, <c>quota</c>, elements that rules add to sets or that
    /// expire.
    /// </summary>
    State = 2,

    /// <summary>A program: <c>queue</c>, <c>synproxy</c>, <c>tproxy</c>, the match of a socket or a cgroup.</summary>
    UserSpace = 4,

    /// <summary>Chance: <c>numgen random</c>, the match <c>statistic</c>.</summary>
    Chance = 8,

    /// <summary>The time of day, the day of the week, or the date.</summary>
    Time = 16,
}
