namespace Conntracker;

/// <summary>What was found about the usefulness of a rule.</summary>
public enum FirewallRuleFindingKind : byte
{
    /// <summary>No packet of the traced flows met the rule.</summary>
    NeverHit = 0,

    /// <summary>An earlier rule of the chain has the same matches and the same verdict, so no packet gets here.</summary>
    Duplicate = 1,

    /// <summary>An earlier rule of the chain takes every packet that the rule matches. The kernel has confirmed it in a trial.</summary>
    Shadowed = 2,

    /// <summary>The rule could be further up, past rules that match none of its packets, and fewer rules would be evaluated.</summary>
    CouldMoveUp = 3,
}
