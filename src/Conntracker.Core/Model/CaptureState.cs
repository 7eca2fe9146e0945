namespace Conntracker;

/// <summary>What a capture is doing.</summary>
public enum CaptureState
{
    /// <summary>The capture opens its sources and reads the kernel's table.</summary>
    Starting,

    /// <summary>The capture receives events.</summary>
    Running,

    /// <summary>The capture was stopped, its time was over, or its recording was replayed to the end. Its flows are kept.</summary>
    Stopped,

    /// <summary>The capture was ended by an error (<see cref="Capture.Error"/>). The flows up to then are kept.</summary>
    Failed,
}
