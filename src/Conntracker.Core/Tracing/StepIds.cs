using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Numbers for steps, from 0. A resolved step, one whose text was read, has one number. An unresolved step has a number of its own, and may turn out to
/// equal another one when it is resolved: then it is a duplicate until <see cref="TakeDuplicates"/> releases its number.
/// </summary>
internal sealed class StepIds
{
    /// <summary>The maximum number of distinct steps; rulesets that change all the time create ever more of them.</summary>
    public const int Maximum = 1 << 18;

    /// <summary>
    /// How many duplicate numbers there may be before they are released: fewer than a flow keeps, so that they do not displace its further steps.
    /// </summary>
    public const int MaximumDuplicates = FlowDetailStore.MaximumSteps / 4;

    private readonly List<Entry> _entries = [];

    // Free numbers: their entries are the steps that they had.
    private readonly Stack<int> _free = [];

    // The first number of each resolved step, and of what users see of it.
    private readonly Dictionary<Step, int> _byStep = [];
    private readonly Dictionary<TraceStep, int> _byView = [];

    // What was reported since the last change of a ruleset.
    private readonly Dictionary<StepKey, int> _byKey = [];
    private int _duplicates;

    /// <summary>How many numbers there are, with the free ones.</summary>
    public int Count => _entries.Count;

    /// <summary>Whether no number is left for a further step.</summary>
    public bool IsFull => _entries.Count == Maximum && _free.Count == 0;

    /// <summary>The step with a number.</summary>
    public Step this[int number] => _entries[number].Step;

    /// <summary>The number of the step that looks the same to users as this one: it may have been reported before and after a change.</summary>
    public int SameAs(int number) => _entries[number].Same;

    /// <summary>The number of a key that was set since <see cref="ForgetKeys"/>.</summary>
    public bool TryFind(in StepKey key, out int number) => _byKey.TryGetValue(key, out number);

    /// <summary>The number of a resolved step.</summary>
    public bool TryFind(Step step, out int number) => _byStep.TryGetValue(step, out number);

    /// <summary>Sets the number of a key, which has none.</summary>
    public void SetKey(in StepKey key, int number) => _byKey.Add(key, number);

    /// <summary>Forgets all keys: the same key is another step from now on.</summary>
    public void ForgetKeys() => _byKey.Clear();

    /// <summary>Adds an unresolved step; not when <see cref="IsFull"/>.</summary>
    /// <returns>Its number.</returns>
    public int Add(Step step)
    {
        if (!_free.TryPop(out int number))
        {
            number = _entries.Count;
            _entries.Add(default);
        }

        _entries[number] = new Entry(step, number);
        return number;
    }

    /// <summary>Replaces an unresolved step by the resolved one.</summary>
    public void Resolve(int number, Step step)
    {
        _duplicates += _byStep.TryAdd(step, number) ? 0 : 1;

        // Users do not see through which base chain a packet entered a chain that several call; the verdict depends on it.
        _entries[number] = new Entry(step, _byView.TryAdd(step.View, number) ? SameAs(number) : _byView[step.View]);
    }

    /// <summary>Releases duplicate numbers. Null while there are few. All holders of numbers must replace them at once.</summary>
    /// <param name="unresolved">The numbers of unresolved steps.</param>
    /// <returns>For each number the one that replaces it.</returns>
    public int[]? TakeDuplicates(IEnumerable<int> unresolved)
    {
        if (_duplicates < MaximumDuplicates)
        {
            return null;
        }

        int[] kept = new int[_entries.Count];
        HashSet<int> untouched = [.. unresolved, .. _free];
        for (int number = 0; number < kept.Length; number++)
        {
            kept[number] = untouched.Contains(number) ? number : _byStep[this[number]];
            if (kept[number] != number)
            {
                _free.Push(number);
            }
        }

        foreach (StepKey key in _byKey.Keys)
        {
            _byKey[key] = kept[_byKey[key]];
        }

        _duplicates = 0;
        return kept;
    }

    // Same: the number of the step that looks the same to users.
    private readonly record struct Entry(Step Step, int Same);
}
