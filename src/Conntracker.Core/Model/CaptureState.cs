namespace Conntracker;

/// <summary>What a capture is doing.</summary>
public enum CaptureState
{
    /// <summary>It opens its sources and reads the kernel's table.</summary>
    Starting,

    /// <summary>It takes in events.</summary>
    Running,

    /// <summary>It was stopped, its time was over, or its recording was replayed to the end. Its flows are kept.</summary>
    Stopped,

    /// <summary>It ended by an error (<see cref="Capture.Error"/>). The flows up to then are kept.</summary>
    Failed,
}
