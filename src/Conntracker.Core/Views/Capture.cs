using Conntracker.Core.Capture;

namespace Conntracker;

/// <summary>
/// A capture. Its properties tell how it stands at the moment they are read; stopped, it keeps its flows until it is removed.
/// </summary>
public sealed class Capture
{
    internal Capture(int id, string name, CaptureOptions options, CaptureSession session)
    {
        Id = id;
        Name = name;
        Options = options;
        Session = session;
    }

    /// <summary>The capture's number in this process, counted from 1.</summary>
    public int Id { get; }

    /// <summary>The capture's name; unique in this process.</summary>
    public string Name { get; }

    /// <summary>What it is doing.</summary>
    public CaptureState State => Session.State;

    /// <summary>When it was started.</summary>
    public DateTimeOffset StartTime => new(Session.StartTime, TimeSpan.Zero);

    /// <summary>How long it has run, or ran.</summary>
    public TimeSpan Duration => Session.Duration;

    /// <summary>How many flows it holds.</summary>
    public int FlowCount => Session.FlowCount;

    /// <summary>Events of connection tracking that were taken in.</summary>
    public long Events => Session.Receipt.Events;

    /// <summary>Messages that the kernel could not queue, by its own count.</summary>
    public long Lost => Session.Receipt.Lost;

    /// <summary>How often the receive buffer overran.</summary>
    public long Overruns => Session.Receipt.Overruns;

    /// <summary>Flows that a dump put right after an overrun.</summary>
    public long Repaired => Session.Receipt.Repaired;

    /// <summary>Messages that were not as the kernel writes them.</summary>
    public long Malformed => Session.Receipt.Malformed;

    /// <summary>Flows that were folded into others at the flow limit.</summary>
    public long Folded => Session.Receipt.Folded;

    /// <summary>What a user ought to know of it: once a cause.</summary>
    public IReadOnlyList<string> Notices => Session.Notices.All();

    /// <summary>What ended it; null when it runs, or ended well.</summary>
    public string? Error => Session.Error?.Message;

    /// <summary>How it was made.</summary>
    public CaptureOptions Options { get; }

    internal CaptureSession Session { get; }

    /// <summary>Everything that it saw and did not see, of one moment.</summary>
    public CaptureReceipt GetReceipt() => Session.Receipt;

    /// <summary>The flows that are wanted, as they are now, one at a time.</summary>
    /// <param name="query">Which flows are wanted.</param>
    /// <param name="cancellation">Gives up waiting for the kernel's counters.</param>
    public IEnumerable<Flow> GetFlows(FlowQuery query, CancellationToken cancellation = default) => Session.GetFlows(query, cancellation);

    /// <summary>Stops it and waits until it has ended. Its flows stay.</summary>
    public void Stop() => Session.Stop();

    /// <summary>Waits until it has ended; false when the time was over before.</summary>
    public bool Wait(TimeSpan timeout, CancellationToken cancellation = default) => Session.Wait(timeout, cancellation);

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
