using static Conntracker.Core.Native.Libnftables;

namespace Conntracker.Core.Firewall;

/// <summary>
/// Reads the text of the nftables ruleset through libnftables, with handles, without counters and without the elements of named sets.
/// A context of its own is opened for each reading: it costs little, and one that is kept would keep the whole ruleset in memory.
/// </summary>
internal sealed class NftRulesetReader : IDisposable
{
    private readonly BackgroundReader<string> _reader;

    /// <summary>Makes a reader for the network namespace of the calling thread.</summary>
    /// <param name="done">Called on another thread after each reading that was requested, however it went.</param>
    public NftRulesetReader(Action done) => _reader = new BackgroundReader<string>("conntracker-nft", Read, done);

    /// <summary>Why the last reading failed; null when it went well, or there was none.</summary>
    public string? Error => _reader.Error;

    /// <summary>Reads now, in the network namespace of the calling thread.</summary>
    /// <exception cref="ConntrackException">libnftables is missing, or the kernel refused.</exception>
    public static string Read()
    {
        using NftContext context = NftContext.Open(NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_TERSE);
        return context.TryRun("list ruleset", out string answer)
            ? answer
            : throw new ConntrackException(ConntrackErrorReason.KernelRefused, $"The nftables ruleset could not be read: {answer} It needs CAP_NET_ADMIN.");
    }

    /// <summary>Asks for a reading and returns at once.</summary>
    public void Request() => _reader.Request();

    /// <summary>Takes the newest text, once.</summary>
    /// <returns>False when none has come since the last time.</returns>
    public bool TryTake(out string text) => _reader.TryTake(out text);

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();
}
