using Tmds.Linux;

namespace Conntracker.Core.Native;

/// <summary>Waiting for descriptors: poll(2).</summary>
internal static unsafe class Poll
{
    /// <summary>A descriptor to wait for until it can be read.</summary>
    /// <param name="fd">The descriptor; a negative one is ignored.</param>
    public static pollfd ForReading(int fd) => new() { fd = fd, events = LibC.POLLIN };

    /// <summary>Waits until a descriptor is ready.</summary>
    /// <param name="fds">The descriptors; their <c>revents</c> are set.</param>
    /// <param name="milliseconds">The longest wait; 0 not to wait, -1 for no limit.</param>
    /// <returns>The number of ready descriptors; 0 if the time is over or a signal interrupted the wait.</returns>
    public static int Wait(Span<pollfd> fds, int milliseconds)
    {
        fixed (pollfd* first = fds)
        {
            return Math.Max(0, LibC.poll(first, (uint)fds.Length, milliseconds));
        }
    }

    /// <summary>Waits until a descriptor can be read.</summary>
    /// <param name="fd">The descriptor; a negative one is never ready.</param>
    /// <param name="milliseconds">The longest wait; 0 not to wait, -1 for no limit.</param>
    /// <returns>False if the time is over or a signal interrupted the wait.</returns>
    public static bool IsReadable(int fd, int milliseconds)
    {
        pollfd polled = ForReading(fd);
        return Wait(new Span<pollfd>(ref polled), milliseconds) > 0;
    }
}
