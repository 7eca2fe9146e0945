using System.Diagnostics;
using System.Globalization;

namespace Conntracker.Tests.Fuzz;

/// <summary>Gives inputs to a harness, one after the other, and measures. Used by one thread at a time.</summary>
/// <param name="harness">The harness.</param>
/// <param name="seed">Decides over its inputs.</param>
/// <param name="patience">The longest time of the processor that an input may take.</param>
internal sealed class HarnessRunner(Harness harness, ulong seed, TimeSpan patience)
{
    /// <summary>The longest time that an input may take, where nothing else is said.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(10);

    /// <summary>The most bytes that may be allocated for an input.</summary>
    public const long MaximumAllocation = 16L << 20;

    // Code that has just been loaded is slow, and memory is collected at any time: only an input that is slow each time is too slow.
    private const int Retries = 4;

    private readonly FuzzInput _input = new();

    /// <summary>The harness.</summary>
    public Harness Harness => harness;

    /// <summary>How many inputs were run.</summary>
    public long Inputs { get; private set; }

    /// <summary>The time that they took, with making them.</summary>
    public TimeSpan Elapsed { get; private set; }

    /// <summary>The processor's time of the slowest input: the shortest of several measurements of it.</summary>
    public TimeSpan Slowest { get; private set; }

    /// <summary>The most bytes that were allocated for an input.</summary>
    public long LargestAllocation { get; private set; }

    /// <summary>Runs the corpus as it is; it also loads the code, so nothing is measured. Null when all is well.</summary>
    public Finding? RunCorpus()
    {
        foreach (byte[] each in harness.Corpus)
        {
            if (Try(each) is Exception error)
            {
                return new Finding(harness.Name, seed, null, error.ToString(), each);
            }
        }

        return null;
    }

    /// <summary>Runs inputs by their numbers, from where the last call ended. Null when all is well.</summary>
    /// <param name="count">How many at most.</param>
    /// <param name="time">How long at most.</param>
    /// <param name="progress">Says which input is being run.</param>
    public Finding? Run(long count, TimeSpan time, IProgress<ulong>? progress = null)
    {
        long began = Stopwatch.GetTimestamp();
        Finding? finding = null;
        for (long i = 0; i < count && finding is null && (i % 64 != 0 || Stopwatch.GetElapsedTime(began) < time); i++)
        {
            ulong number = (ulong)Inputs++;
            progress?.Report(number);
            harness.Make(_input, seed, number);
            finding = RunOne(_input.Bytes) is string reason ? new Finding(harness.Name, seed, number, reason, _input.Bytes.ToArray()) : null;
        }

        Elapsed += Stopwatch.GetElapsedTime(began);
        return finding;
    }

    /// <summary>Runs one input and measures it; says what is wrong with it, null for nothing.</summary>
    public string? RunOne(ReadOnlySpan<byte> input)
    {
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        long began = Stopwatch.GetTimestamp();
        Exception? error = Try(input);
        TimeSpan took = Stopwatch.GetElapsedTime(began);
        allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
        if (error is not null)
        {
            return error.ToString();
        }

        // The time on the wall costs next to nothing to take; it is never less than the processor's.
        for (int i = 0; i < Retries && took > Slowest; i++)
        {
            TimeSpan before = ThreadClock.Now;
            Try(input);
            TimeSpan again = ThreadClock.Now - before;
            took = again < took ? again : took;
        }

        Slowest = took > Slowest ? took : Slowest;
        LargestAllocation = Math.Max(LargestAllocation, allocated);
        return took > patience
            ? string.Create(
                CultureInfo.InvariantCulture,
                $"It takes {took.TotalMilliseconds:0.0} ms, {Retries} times in a row; {patience.TotalMilliseconds:0} are allowed.")
            : allocated > MaximumAllocation
            ? string.Create(CultureInfo.InvariantCulture, $"It allocates {allocated:N0} bytes; {MaximumAllocation:N0} are allowed.")
            : null;
    }

    private Exception? Try(ReadOnlySpan<byte> input)
    {
        try
        {
            harness.Run(input);
            return null;
        }
#pragma warning disable CA1031 // Any exception at all is what is looked for.
        catch (Exception error)
#pragma warning restore CA1031
        {
            return error;
        }
    }
}
