namespace Conntracker.Core.Capture;

/// <summary>Who is told of flows as they appear.</summary>
internal sealed partial class FlowCollector
{
    private FlowSubscription[] _subscriptions = [];

    /// <summary>Tells a subscriber of each new connection from now on.</summary>
    public void Subscribe(FlowSubscription subscription)
    {
        lock (_gate)
        {
            _subscriptions = [.. _subscriptions, subscription];
        }
    }

    /// <summary>Tells a subscriber nothing more.</summary>
    public void Unsubscribe(FlowSubscription subscription)
    {
        lock (_gate)
        {
            _subscriptions = [.. _subscriptions.Where(each => each != subscription)];
        }
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

    private void Offer(int place)
    {
        foreach (FlowSubscription subscription in _subscriptions)
        {
            subscription.Offer(in _table[place], Addresses, _table.Evidence, Tracing.View, Processes.Processes.View);
        }
    }
}
