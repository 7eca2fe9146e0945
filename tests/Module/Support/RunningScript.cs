using System.Collections;
using System.Management.Automation;
using Shell = System.Management.Automation.PowerShell;

namespace Conntracker.Tests.Module.Support;

/// <summary>A script that runs while the test goes on.</summary>
internal sealed class RunningScript : IDisposable
{
    private readonly Shell _shell;
    private readonly PSDataCollection<PSObject> _input = [];
    private readonly PSDataCollection<PSObject> _output = [];
    private readonly IAsyncResult _running;

    /// <summary>Starts it.</summary>
    public RunningScript(Shell shell)
    {
        _shell = shell;
        _input.Complete();
        _running = shell.BeginInvoke(_input, _output);
    }

    /// <summary>What it has emitted so far.</summary>
    public IReadOnlyList<PSObject> Output
    {
        get
        {
            // The running script adds to it under the same lock.
            lock (((ICollection)_output).SyncRoot)
            {
                return [.. _output];
            }
        }
    }

    /// <summary>Whether it has come to its end.</summary>
    public bool HasEnded => _running.IsCompleted;

    /// <summary>How it ended, or that it runs.</summary>
    public PSInvocationState State => _shell.InvocationStateInfo.State;

    /// <summary>Its errors.</summary>
    public IReadOnlyList<ErrorRecord> Errors => [.. _shell.Streams.Error];

    /// <summary>Waits for its end.</summary>
    public void Wait() => Eventually.True("the end of the script", () => HasEnded);

    /// <summary>Does what Ctrl+C does, and waits for the end of that.</summary>
    public void Stop() => _shell.Stop();

    /// <inheritdoc/>
    public void Dispose()
    {
        _shell.Stop();
        _shell.Dispose();
        _input.Dispose();
        _output.Dispose();
    }
}
