namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>A harness for every decoder and reader. Disposed, because some read from files.</summary>
internal sealed class HarnessList : IDisposable
{
    private readonly ScratchFile _scratch = new();

    /// <summary>Makes them all, and their corpus from the fixtures.</summary>
    public HarnessList()
    {
        Corpus corpus = new();
        Harnesses =
        [
            .. NetlinkHarnesses.All(corpus),
            .. TraceHarnesses.All(corpus),
            .. PacketHarnesses.All(corpus, _scratch),
            .. RecordingHarnesses.All(corpus, _scratch),
            .. LogHarnesses.All(corpus),
            .. RulesetHarnesses.All(corpus),
            .. HostHarnesses.All(),
            .. ProcessHarnesses.All(),
        ];
    }

    /// <summary>The harnesses.</summary>
    public IReadOnlyList<Harness> Harnesses { get; }

    /// <summary>A harness by its name.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public Harness Find(string name) => Harnesses.FirstOrDefault(each => each.Name == name)
        ?? throw new ArgumentException($"There is no harness '{name}'. There are: {string.Join(", ", Harnesses.Select(each => each.Name))}.");

    /// <inheritdoc/>
    public void Dispose() => _scratch.Dispose();
}
