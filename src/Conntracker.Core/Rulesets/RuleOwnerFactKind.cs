namespace Conntracker.Core.Rulesets;

/// <summary>What of a rule a <see cref="RuleOwnerFact"/> is about.</summary>
internal enum RuleOwnerFactKind
{
    /// <summary>The name of the rule's table.</summary>
    Table,

    /// <summary>The name of the rule's chain, or of the chain that it jumps or goes to.</summary>
    Chain,

    /// <summary>The rule's comment.</summary>
    Comment,

    /// <summary>The rule's text.</summary>
    Text,
}
