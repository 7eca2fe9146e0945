namespace Conntracker;

/// <summary>What a <see cref="FirewallPolicy"/> does with what no rule accepts.</summary>
public enum FirewallPolicyDefault : byte
{
    /// <summary>Drop it without an answer.</summary>
    Drop = 0,

    /// <summary>Refuse it: TCP with a reset, everything else with ICMP "administratively prohibited".</summary>
    Reject = 1,
}
