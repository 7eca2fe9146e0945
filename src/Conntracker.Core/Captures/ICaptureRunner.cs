
using Conntracker.Core.Tracing;

namespace Conntracker.Core.Captures;

/// <summary>Moves frames from where they come from into the collector, on the capture's own thread.</summary>
internal interface ICaptureRunner : IDisposable
{
    /// <summary>Chooses what is traced; null when this runner cannot trace.</summary>
    TraceControl? Tracing { get; }

    /// <summary>Works until it was asked to stop, its time is over, or nothing more comes.</summary>
    /// <param name="ready">Called once, when flows that are open already are there.</param>
    void Run(Action ready);

    /// <summary>Asks the runner to stop; from any thread, any number of times.</summary>
    void RequestStop();

    /// <summary>Asks for the counters as they are now; from any thread. False when this runner cannot ask the kernel.</summary>
    bool RequestRefresh();
}
