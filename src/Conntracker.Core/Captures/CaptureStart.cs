namespace Conntracker.Core.Captures;

/// <summary>A capture that is being started: it has a name and an owner already, and can be given up.</summary>
internal sealed class CaptureStart(string name, Guid owner, CancellationToken cancellation) : IDisposable
{
    private readonly CancellationTokenSource _source = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
    private readonly ManualResetEventSlim _ended = new();

    /// <summary>The name that the capture will have.</summary>
    public string Name => name;

    /// <summary>Who starts it.</summary>
    public Guid Owner => owner;

    /// <summary>Cancelled when whoever starts it, or whoever removes its owner's captures, gives it up.</summary>
    public CancellationToken Cancellation => _source.Token;

    /// <summary>Gives it up, without waiting.</summary>
    public void Cancel() => _source.Cancel();

    /// <summary>Waits until it has ended, in whatever way; false when the time was over before.</summary>
    public bool Wait(TimeSpan timeout) => _ended.Wait(timeout);

    /// <summary>Says that it has ended.</summary>
    public void End() => _ended.Set();

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();
}
