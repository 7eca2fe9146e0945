namespace Conntracker.Core.Captures;

/// <summary>Who is told of flows as they appear.</summary>
internal sealed partial class FlowCollector
{
    private FlowSubscription[] _subscriptions = [];

    /// <summary>Begins a subscription to each new connection from now on.</summary>
    public FlowSubscription Subscribe(FlowQuery query)
    {
        FlowSubscription subscription = new(query, Unsubscribe);
        lock (_gate)
        {
            _subscriptions = [.. _subscriptions, subscription];
        }

        return subscription;
    }

    /// <summary>Tells the subscribers that nothing more comes.</summary>
    public void CompleteSubscriptions()
    {
        lock (_gate)
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
        lock (_gate)
        {
            _subscriptions = [.. _subscriptions.Where(each => each != subscription)];
        }
    }
}
