namespace Conntracker.Core.Tracing;

/// <summary>A step whose text is not read yet.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Key">Its key.</param>
/// <param name="Change">The change of its ruleset after which the text must have been requested.</param>
/// <param name="Epoch">The table and base chain in which it was reported.</param>
/// <param name="IsUnbound">Whether the change that created its rule is not reported yet: that change may have created its table as well.</param>
internal readonly record struct PendingStep(int Number, StepKey Key, long Change, RuleEpoch Epoch, bool IsUnbound);

/// <summary>
/// The steps that wait for their rule's text, in the order in which they were reported. A step is here from its first report until a text that covers
/// it was read. It is bound to a table at most once.
/// </summary>
internal sealed class PendingSteps
{
    private readonly List<PendingStep> _steps = [];
    private int _unbound;

    /// <summary>Whether the table of any step is not known yet.</summary>
    public bool HasUnbound => _unbound > 0;

    /// <summary>The numbers of all steps.</summary>
    public IEnumerable<int> Numbers => _steps.Select(each => each.Number);

    /// <summary>Adds a step.</summary>
    public void Add(PendingStep step)
    {
        _steps.Add(step);
        _unbound += step.IsUnbound ? 1 : 0;
    }

    /// <summary>Sets the tables of unbound steps.</summary>
    /// <param name="find">The table and base chain of a step; null while they are not known.</param>
    public void Bind(Func<PendingStep, RuleEpoch?> find)
    {
        for (int i = 0; HasUnbound && i < _steps.Count; i++)
        {
            if (_steps[i] is { IsUnbound: true } step && find(step) is RuleEpoch epoch)
            {
                _steps[i] = step with { Epoch = epoch, IsUnbound = false };
                _unbound--;
            }
        }
    }

    /// <summary>Removes the steps for which a condition holds, and hands each to an action.</summary>
    public void Remove(Predicate<PendingStep> isReady, Action<PendingStep> action) => _steps.RemoveAll(step =>
    {
        bool isRemoved = isReady(step);
        if (isRemoved)
        {
            _unbound -= step.IsUnbound ? 1 : 0;
            action(step);
        }

        return isRemoved;
    });
}
