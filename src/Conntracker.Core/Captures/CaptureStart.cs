namespace Conntracker.Core.Captures;

/// <summary>A capture that is being started: it already has a name and an owner, and can be cancelled.</summary>
internal sealed class CaptureStart(string name, Guid owner, CancellationToken cancellation) : IDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    private readonly ManualResetEventSlim _ended = new();

    /// <summary>The name of the capture.</summary>
    public string Name => name;

    /// <summary>The owner of the capture.</summary>
    public Guid Owner => owner;

    /// <summary>Cancelled by the caller that starts the capture, or when its owner's captures are removed.</summary>
    public CancellationToken Cancellation => _source.Token;

    /// <summary>Cancels the start, without waiting.</summary>
    public void Cancel() => _source.Cancel();

    /// <summary>Waits until the start has ended, successfully or not; false if the timeout came first.</summary>
    public bool Wait(TimeSpan timeout) => _ended.Wait(timeout);

    /// <summary>Marks the start as ended.</summary>
    public void End() => _ended.Set();

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();
}
