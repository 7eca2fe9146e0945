using System.Text;
using static Conntracker.Core.Native.Libnftables;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// Reads the text of the nftables ruleset, with handles, without counters and without the elements of named sets. The program nft reads
/// it, as a child: with many rules that takes seconds, for which libnftables would hold its lock in this process, and it could not be
/// ended. Where nft cannot be run, libnftables reads after all; its context is opened for each reading, since one that is kept would keep
/// the whole ruleset in memory. What nft does not print of chains in braces comes from the kernel itself.
/// </summary>
internal sealed class NftRulesetReader : IDisposable
{
    private const string Program = "nft";
    private const string Package = "nftables";

    // Hundreds of thousands of rules take minutes. The capture does not wait for them, and cancels the read when it ends.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    private readonly BackgroundReader<NftRulesetText> _reader;

    /// <param name="program">The path of the program that lists the ruleset; null for the system's nft.</param>
    /// <param name="done">Called on another thread after each requested read, whether or not it succeeded.</param>
    public NftRulesetReader(string? program, Action done) =>
        _reader = new BackgroundReader<NftRulesetText>("conntracker-nft", cancellation => Read(program ?? ChildProgram.Find(Program), cancellation), done);

    /// <summary>Why the last read failed; null when it succeeded, or there was none.</summary>
    public string? Error => _reader.Error;

    /// <summary>Reads now, in the network namespace of the calling thread: a child inherits it from the thread that starts it.</summary>
    /// <exception cref="ConntrackException">Neither nft nor libnftables could read it.</exception>
    public static NftRulesetText Read() => Read(CancellationToken.None);

    /// <inheritdoc cref="Read()"/>
    /// <param name="cancellation">Cancels the read, unless libnftables does it.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static NftRulesetText Read(CancellationToken cancellation) => Read(ChildProgram.Find(Program), cancellation);

    /// <inheritdoc cref="Read()"/>
    /// <param name="program">The path of the program that lists the ruleset; null when nft is not installed.</param>
    /// <param name="cancellation">Cancels the read, unless libnftables does it.</param>
    /// <exception cref="OperationCanceledException">It was cancelled.</exception>
    public static NftRulesetText Read(string? program, CancellationToken cancellation)
    {
        NftRulesetText text = List(program, cancellation);
        if (!NftAnonymousChainReader.IsNeeded(text.Text))
        {
            return text;
        }

        try
        {
            StringBuilder whole = new StringBuilder(text.Text).Append('\n');
            foreach (NftAnonymousChain chain in NftAnonymousChainReader.Read(cancellation))
            {
                whole.Append(chain.ToLine()).Append('\n');
            }

            return text with { Text = whole.ToString() };
        }
        catch (ConntrackException error)
        {
            return text with { AnonymousError = error.Message };
        }
    }

    /// <summary>Requests a read and returns at once.</summary>
    public void Request() => _reader.Request();

    /// <summary>Takes the newest text, once.</summary>
    /// <returns>False when there is none since the last call.</returns>
    public bool TryTake(out NftRulesetText text) => _reader.TryTake(out text);

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private static NftRulesetText List(string? program, CancellationToken cancellation)
    {
        if (program is null)
        {
            return new NftRulesetText(ReadInProcess(), $"{Program} is missing: install the package {Package} (sudo apt-get install {Package}).");
        }

        try
        {
            return new NftRulesetText(ChildProgram.Run(program, ["-a", "-s", "-t", "list", "ruleset"], s_patience, cancellation));
        }
        catch (ConntrackException error) when (error.InnerException is not (TimeoutException or InvalidDataException))
        {
            // A child lacks what a file's capabilities grant this process.
            return new NftRulesetText(ReadInProcess(), error.Message);
        }
    }

    private static string ReadInProcess()
    {
        using NftContext context = NftContext.Open(NFT_CTX_OUTPUT_HANDLE | NFT_CTX_OUTPUT_STATELESS | NFT_CTX_OUTPUT_TERSE);
        return context.TryRun("list ruleset", out string answer)
            ? answer
            : throw new ConntrackException(
                answer.Contains("not permitted", StringComparison.Ordinal) ? ConntrackErrorReason.PermissionDenied : ConntrackErrorReason.KernelRefused,
                $"Could not read the nftables ruleset: {answer} The capability CAP_NET_ADMIN is required.");
    }
}
