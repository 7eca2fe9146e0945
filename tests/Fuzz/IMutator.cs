namespace Conntracker.Tests.Fuzz;

/// <summary>Makes an input out of a sound one.</summary>
internal interface IMutator
{
    /// <summary>Changes an input.</summary>
    /// <param name="input">A copy of an entry of the corpus; then the input.</param>
    /// <param name="other">Another entry of the corpus, to take parts from.</param>
    /// <param name="random">The only source of chance.</param>
    void Mutate(FuzzInput input, ReadOnlySpan<byte> other, ref FuzzRandom random);
}
