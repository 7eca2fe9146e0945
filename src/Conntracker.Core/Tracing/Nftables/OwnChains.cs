using System.Text;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>The chains of our own table. A trace message names the chain, which shows where the packet is.</summary>
internal static class OwnChains
{
    /// <summary>Its rule makes the kernel track connections. No hook calls it.</summary>
    public const string Tracking = "tracking";

    /// <summary>The first chain of a packet that is received.</summary>
    public const string Prerouting = "prerouting";

    /// <summary>The first chain of a packet that this host sends.</summary>
    public const string Output = "output";

    /// <summary>The last chain of a packet for this host.</summary>
    public const string Input = "input";

    /// <summary>The last chain of a packet that leaves.</summary>
    public const string Postrouting = "postrouting";

    /// <summary>The rules of queries.</summary>
    public const string Selected = "selected";

    private const string AfterNatPrefix = "nat_";

    /// <summary>The chain that reports a packet's header after destination NAT.</summary>
    /// <param name="hook">The hook.</param>
    public static string AfterNat(string hook) => $"{AfterNatPrefix}{hook}";

    /// <summary>Whether a packet enters our table in this chain: what calls it, and what it calls, included.</summary>
    public static bool IsFirst(ReadOnlySpan<byte> chain) =>
        !IsLast(chain) && !(chain.Length >= AfterNatPrefix.Length && Ascii.Equals(chain[..AfterNatPrefix.Length], AfterNatPrefix));

    /// <summary>
    /// Whether a message reports that a packet has met all rules: the policy of one of our last chains. On its way into a loopback device the packet has
    /// not: there a rule ends the chain, not the policy.
    /// </summary>
    public static bool IsPassed(ReadOnlySpan<byte> chain, TraceStepType type) => type == TraceStepType.Policy && IsLast(chain);

    private static bool IsLast(ReadOnlySpan<byte> chain) => Ascii.Equals(chain, Input) || Ascii.Equals(chain, Postrouting);
}
