using Conntracker.Core.Tracing;

namespace Conntracker.Core.Captures;

/// <summary>Moves messages from their source into the collector, on the capture's own thread.</summary>
internal interface ICaptureRunner : IDisposable
{
    /// <summary>Selects what is traced; null if this runner cannot trace.</summary>
    TraceControl? Tracing { get; }

    /// <summary>Runs until it is requested to stop, its time is over, or its source ends.</summary>
    /// <param name="ready">Called once, when the flows that are already open were read.</param>
    void Run(Action ready);

    /// <summary>Requests the runner to stop; from any thread, any number of times.</summary>
    void RequestStop();

    /// <summary>Requests the current counters; from any thread. False if this runner has no kernel to ask.</summary>
    bool RequestRefresh();
}
