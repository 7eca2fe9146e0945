namespace Conntracker.Tests.Module.Support;

/// <summary>A test of the module: with a PowerShell of its own, whose captures are gone at the end.</summary>
public abstract class ModuleTest : IDisposable
{
    private readonly Lazy<Engine> _engine;

    /// <summary>The PowerShell opens when it is first used.</summary>
    protected ModuleTest() => _engine = new(() => new Engine());

    /// <summary>The PowerShell that has the module.</summary>
    private protected Engine Engine => _engine.Value;

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Closes the PowerShell.</summary>
    /// <param name="disposing">True when called by <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
        if (disposing && _engine.IsValueCreated)
        {
            _engine.Value.Dispose();
        }
    }
}
