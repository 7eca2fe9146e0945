namespace Conntracker.Core.Rulesets;

/// <summary>What a target does to a packet. The kernel's TRACE lines do not show it.</summary>
internal static class IptablesVerdict
{
    /// <summary>The verdict in the words of nftables.</summary>
    /// <param name="target">The target; null for a rule that has none.</param>
    /// <param name="isGoto">Whether the rule goes to it without returning (<c>-g</c>).</param>
    /// <param name="isChain">Whether the target is a chain of the same table.</param>
    public static string Of(string? target, bool isGoto, bool isChain) => target switch
    {
        null => "continue",
        _ when isGoto => $"goto {target}",
        _ when isChain => $"jump {target}",
        "ACCEPT" => "accept",
        "DROP" => "drop",
        "REJECT" => "reject",
        "RETURN" => "return",
        "QUEUE" or "NFQUEUE" => "queue",

        // They change the packet or its connection and end their table.
        "DNAT" or "SNAT" or "MASQUERADE" or "REDIRECT" or "NETMAP" or "TPROXY" => "accept",
        _ => "continue",
    };
}
