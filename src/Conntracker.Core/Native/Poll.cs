using Tmds.Linux;

namespace Conntracker.Core.Native;

/// <summary>Waiting for descriptors: poll(2).</summary>
internal static unsafe class Poll
{
    /// <summary>A descriptor to be waited for until it can be read.</summary>
    /// <param name="fd">Its number; a negative one is passed over.</param>
    public static pollfd ForReading(int fd) => new() { fd = fd, events = LibC.POLLIN };

    /// <summary>Waits until one is ready.</summary>
    /// <param name="fds">The descriptors; their <c>revents</c> are set.</param>
    /// <param name="milliseconds">How long at most; 0 to look only, -1 for no end.</param>
    /// <returns>How many are ready; 0 when the time is over, and when a signal has interrupted the wait.</returns>
    public static int Wait(Span<pollfd> fds, int milliseconds)
    {
        fixed (pollfd* first = fds)
        {
            return Math.Max(0, LibC.poll(first, (uint)fds.Length, milliseconds));
        }
    }

    /// <summary>Waits until a descriptor can be read.</summary>
    /// <param name="fd">Its number; a negative one is never ready.</param>
    /// <param name="milliseconds">How long at most; 0 to look only, -1 for no end.</param>
    /// <returns>False when the time is over, and when a signal has interrupted the wait.</returns>
    public static bool IsReadable(int fd, int milliseconds)
    {
        pollfd polled = ForReading(fd);
        return Wait(new Span<pollfd>(ref polled), milliseconds) > 0;
    }
}
