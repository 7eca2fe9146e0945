using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Core.Rulesets;

/// <summary>Asks the kernel for the names and handles that nft does not print: those of chains in braces and of their rules.</summary>
internal static class NftAnonymousChainReader
{
    // A dump that a change interrupted may lack rules.
    private const int MaximumDumps = 5;

    /// <summary>Whether a text has such chains.</summary>
    public static bool IsNeeded(string text) =>
        text.Contains("jump {\n", StringComparison.Ordinal) || text.Contains("goto {\n", StringComparison.Ordinal);

    /// <summary>
    /// Reads the chains of the calling thread's network namespace. The tables are read last: a table that has the same handle before this call
    /// and in the answer was the same one in between, and a handle of its rules stood for one rule only.
    /// </summary>
    /// <exception cref="ConntrackException">The kernel refused, or the rules changed during each attempt.</exception>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static IReadOnlyList<NftAnonymousChain> Read(CancellationToken cancellation)
    {
        using NetlinkDump dump = NetlinkDump.OpenNftables();
        using DatagramBatch batch = NetlinkDump.NewBatch();
        for (int i = 0; i < MaximumDumps; i++)
        {
            NftAnonymousChains chains = new();
            if (TryDump(dump, batch, NFT_MSG_GETRULE, chains, cancellation) && TryDump(dump, batch, NFT_MSG_GETTABLE, chains, cancellation))
            {
                return [.. chains.Chains()];
            }
        }

        throw new ConntrackException(ConntrackErrorReason.KernelRefused, $"The nftables ruleset changed during each of {MaximumDumps} readings.");
    }

    // False when a change interrupted the dump.
    private static bool TryDump(NetlinkDump dump, DatagramBatch batch, int request, NftAnonymousChains chains, CancellationToken cancellation)
    {
        dump.RequestNftables(request);
        NetlinkDumpEnd end = dump.ReadToEnd(batch, (in NetlinkMessage message) => chains.Take(in message), cancellation);
        return end.Error == 0 ? end.IsWhole : throw Fail(end.Error);
    }

    private static ConntrackException Fail(int errno) => new(
        ConntrackErrorReason.KernelRefused,
        $"Could not read the nftables rules from the kernel: {Errno.Describe(errno)}. The capability CAP_NET_ADMIN is required.");
}
