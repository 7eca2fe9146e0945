using System.Globalization;
using System.Text;
using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// The nftables tables that Conntracker creates, in this process or in another: their names, and how one is distinguished from a user's table with
/// such a name.
/// </summary>
internal static class OwnTable
{
    /// <summary>The family of our tables, as nft calls it.</summary>
    public const string Family = "inet";

    private const string Name = "conntracker";

    /// <summary>The name of a table: the first one has no number.</summary>
    /// <param name="number">From 1.</param>
    public static string NameOf(int number) => number == 1 ? Name : string.Create(CultureInfo.InvariantCulture, $"{Name}_{number}");

    /// <summary>Whether a table has a name of ours. A user's table may have it as well.</summary>
    /// <param name="family">NFPROTO_*.</param>
    /// <param name="table">The table's name in UTF-8.</param>
    public static bool HasOwnName(byte family, ReadOnlySpan<byte> table)
    {
        if (family != NftablesConstants.NFPROTO_INET || table.Length < Name.Length || !Ascii.Equals(table[..Name.Length], Name))
        {
            return false;
        }

        ReadOnlySpan<byte> number = table[Name.Length..];
        return number.IsEmpty || (number.Length > 1 && number[0] == (byte)'_' && !number[1..].ContainsAnyExceptInRange((byte)'0', (byte)'9'));
    }

    /// <summary>Whether a table has a name of ours. A user's table may have it as well.</summary>
    /// <param name="family">As nft calls it.</param>
    /// <param name="table">The table's name.</param>
    public static bool HasOwnName(string family, string table) =>
        family == Family && HasOwnName((byte)NftablesConstants.NFPROTO_INET, Encoding.UTF8.GetBytes(table));

    /// <summary>
    /// Whether Conntracker created a table with a name of ours. The kernel prints the flag <c>owner</c> only while the process that created the table
    /// lives. On a kernel without the flag, a rule's comment names that process.
    /// </summary>
    /// <param name="hasOwner">Whether the table has the flag.</param>
    /// <param name="chains">The table's chains.</param>
    public static bool IsOwn(bool hasOwner, IEnumerable<NftChain> chains) =>
        hasOwner || chains.Any(chain => chain.Rules.Any(rule => rule.Comment?.StartsWith(ProcessIdentity.Prefix, StringComparison.Ordinal) ?? false));
}
