namespace Conntracker.Core.Captures;

/// <summary>The collector's part for subscriptions to new flows.</summary>
internal sealed partial class FlowCollector
{
    private FlowSubscription[] _subscriptions = [];

    /// <summary>Begins a subscription to each connection that begins from now on.</summary>
    public FlowSubscription Subscribe(FlowQuery query)
    {
        FlowSubscription subscription = new(query, Unsubscribe);
        lock (_lock)
        {
            _subscriptions = [.. _subscriptions, subscription];
        }

        return subscription;
    }

    /// <summary>Completes all subscriptions: nothing more will be published.</summary>
    public void CompleteSubscriptions()
    {
        lock (_lock)
        {
            foreach (FlowSubscription subscription in _subscriptions)
            {
                subscription.Complete();
            }
        }
    }

    private void Publish(int slot)
    {
        foreach (FlowSubscription subscription in _subscriptions)
        {
            subscription.Publish(in _table[slot], Addresses, _table.Details, Tracing.View, Processes.Processes.View);
        }
    }

    private void Unsubscribe(FlowSubscription subscription)
    {
        lock (_lock)
        {
            _subscriptions = [.. _subscriptions.Where(each => each != subscription)];
        }
    }
}
