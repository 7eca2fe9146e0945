namespace Conntracker.Core.Export.Tree;

/// <summary>
/// The room that a tree has for entries, and the entries that found none. Those of unanswered flows have a small share of it: anyone can send packets
/// from forged addresses, and must not be able to use the whole limit.
/// </summary>
internal sealed class TreeRoom
{
    private const int LeastCounted = 65_536;

    private readonly int _maximum;
    private readonly int _share;
    private readonly bool _isOfInodes;
    private readonly BoundedDistinctCount _folded;
    private readonly BoundedDistinctCount _unansweredFolded;
    private readonly BoundedDistinctCount _left;
    private int _unanswered;

    /// <param name="wanted">The user's limit.</param>
    /// <param name="maximum">How many entries there may be (<see cref="TreeLimit.Of(int, int, long?)"/>).</param>
    /// <param name="present">How many exist already.</param>
    public TreeRoom(int wanted, int maximum, int present)
    {
        _maximum = maximum;
        _isOfInodes = maximum < wanted;
        _share = TreeLimit.OfUnanswered(maximum, present);
        Count = present;
        int counted = Math.Max(LeastCounted, wanted);
        _folded = new BoundedDistinctCount(counted);
        _unansweredFolded = new BoundedDistinctCount(counted);
        _left = new BoundedDistinctCount(counted);
    }

    /// <summary>How many entries there are.</summary>
    public int Count { get; private set; }

    /// <summary>Whether the limit was reached: entries were aggregated or left out.</summary>
    public bool IsLimited => _folded.Count + _left.Count > 0;

    /// <summary>Whether entries of unanswered flows were aggregated, or left out, because their share was used up.</summary>
    public bool IsShareLimited => _unansweredFolded.Count > 0;

    /// <summary>Whether one more entry may be created.</summary>
    /// <param name="level">How coarse it is (<see cref="TreeEntry.Fold"/>).</param>
    /// <param name="isAnswered">Whether its flow was answered.</param>
    public bool Has(int level, bool isAnswered) => HasForAll(level) && (isAnswered || _unanswered < TreeLimit.Of(_share, level));

    /// <summary>Counts a created entry.</summary>
    public void Take(bool isAnswered)
    {
        Count++;
        _unanswered += isAnswered ? 0 : 1;
    }

    /// <summary>Returns an unanswered entry's place in the share: an answered flow has matched it.</summary>
    public void Answer() => _unanswered--;

    /// <summary>Counts an aggregated entry.</summary>
    public void CountFolded(in TreeEntry entry, bool isAnswered) => (isAnswered || !HasForAll(0) ? _folded : _unansweredFolded).Add(in entry);

    /// <summary>Counts an entry that was left out.</summary>
    public void CountLeft(in TreeEntry entry, bool isAnswered) => (isAnswered || !HasForAll(TreeEntry.LastLevel) ? _left : _unansweredFolded).Add(in entry);

    /// <summary>The effect of the limits on the tree; null when no entry was aggregated or left out.</summary>
    /// <param name="path">The tree.</param>
    /// <param name="option">The option that sets the limit, as the user writes it.</param>
    public string? Describe(string path, string option)
    {
        string limit = $"The tree '{path}' has {Count} entries, and the limit is {_maximum} ({(_isOfInodes ? "a tenth of the free inodes" : option)})";
        string? folded = !IsLimited ? null : $"{_folded} were folded into subnets" + (_left.Count == 0 ? "." : $", {_left} not written.");
        string? unanswered = !IsShareLimited ? null
            : $"{_unansweredFolded} entries of unanswered flows were folded into subnets, because their limit is {_share}.";
        return folded is null && unanswered is null ? null : $"{limit}: {string.Join(' ', new[] { folded, unanswered }.OfType<string>())}";
    }

    private bool HasForAll(int level) => Count < TreeLimit.Of(_maximum, level);
}
