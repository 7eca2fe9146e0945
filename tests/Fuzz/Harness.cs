namespace Conntracker.Tests.Fuzz;

/// <summary>
/// A decoder or reader with what is given to it. It must not throw, whatever the bytes are; what it refuses by design is caught in <see cref="Run"/>.
/// One thread at a time.
/// </summary>
/// <param name="Name">Its name: lower case, digits and hyphens.</param>
/// <param name="Corpus">Sound inputs, which are mutated; at least one.</param>
/// <param name="Mutator">How.</param>
/// <param name="Run">Decodes one input, and throws where what came of it cannot be.</param>
internal sealed record Harness(string Name, IReadOnlyList<byte[]> Corpus, IMutator Mutator, Action<ReadOnlySpan<byte>> Run)
{
    /// <summary>What tells its inputs from those of others (FNV-1a of the name).</summary>
    public ulong Stream { get; } = Name.Aggregate(0xCBF2_9CE4_8422_2325, (hash, each) => (hash ^ each) * 0x0000_0100_0000_01B3);

    /// <summary>Makes an input: the same for the same seed and number.</summary>
    public void Make(FuzzInput input, ulong seed, ulong number)
    {
        FuzzRandom random = new(seed, Stream, number);
        input.Set(Corpus[random.Next(Corpus.Count)]);
        Mutator.Mutate(input, Corpus[random.Next(Corpus.Count)], ref random);
    }
}
