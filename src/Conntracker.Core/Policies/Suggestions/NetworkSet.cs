using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>Blocks of one family, equal to another set with the same blocks. None lies within another.</summary>
internal sealed class NetworkSet : IEquatable<NetworkSet>
{
    private readonly AddressBlock[] _blocks;
    private readonly int _hash;

    /// <summary>A set; blocks that lie within others are left out.</summary>
    public NetworkSet(IEnumerable<AddressBlock> blocks)
    {
        List<AddressBlock> kept = [];
        foreach (AddressBlock block in blocks.OrderBy(each => each.First).ThenByDescending(each => each.Last))
        {
            if (kept.Count == 0 || !kept[^1].Contains(block))
            {
                kept.Add(block);
            }
        }

        _blocks = [.. kept];
        HashCode hash = default;
        foreach (AddressBlock block in _blocks)
        {
            hash.Add(block);
        }

        _hash = hash.ToHashCode();
    }

    /// <summary>The blocks, by address.</summary>
    public IReadOnlyList<AddressBlock> Blocks => _blocks;

    /// <summary>How many addresses they have.</summary>
    public double Size => _blocks.Sum(each => each.Size);

    /// <summary>Whether the set is every address of its family.</summary>
    public bool IsAny => _blocks is [{ Prefix: 0 }];

    /// <summary>The set of all addresses of a family.</summary>
    public static NetworkSet Any(FlowFamily family) => new([new AddressBlock(family, default, 0)]);

    /// <inheritdoc/>
    public bool Equals(NetworkSet? other) => other is not null && _blocks.AsSpan().SequenceEqual(other._blocks);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as NetworkSet);

    /// <inheritdoc/>
    public override int GetHashCode() => _hash;
}
