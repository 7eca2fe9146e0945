using Conntracker.Core.Native;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Feeds;

/// <summary>Wakes a thread that waits in poll(2): an eventfd.</summary>
internal sealed unsafe class Wakeup : IDisposable
{
    private readonly SafeFileDescriptor _descriptor;

    public Wakeup()
    {
        int number = LibC.eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        _descriptor = number >= 0
            ? new SafeFileDescriptor(number)
            : throw new ConntrackException(ConntrackErrorReason.KernelRefused, $"Could not create an eventfd:  {Errno.Describe(Errno.Last)}.");
    }

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => _descriptor.Number;

    /// <summary>Wakes the thread; from any thread, any number of times, also when it is gone.</summary>
    public void Set()
    {
        ulong one = 1;
        try
        {
            _ = SafeLibC.write(_descriptor, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // The waiting side is disposed already.
        }
    }

    /// <summary>Resets the wakeup for the next wait.</summary>
    public void Clear()
    {
        ulong count;
        _ = SafeLibC.read(_descriptor, &count, sizeof(ulong));
    }

    /// <inheritdoc/>
    public void Dispose() => _descriptor.Dispose();
}
