using System.Runtime.InteropServices;

namespace Conntracker.Tests.Fuzz;

/// <summary>
/// The processor's time of the calling thread (CLOCK_THREAD_CPUTIME_ID). What other programs do at the same time does not count: on a machine that
/// is busy, the time on the wall says nothing of an input.
/// </summary>
internal static partial class ThreadClock
{
    private const int ThreadTime = 3;

    /// <summary>How much the thread has had so far.</summary>
    public static TimeSpan Now
    {
        get
        {
            _ = clock_gettime(ThreadTime, out timespec time);
            return TimeSpan.FromSeconds(time.tv_sec) + TimeSpan.FromMicroseconds(time.tv_nsec / 1000.0);
        }
    }

    [LibraryImport("libc")]
    private static partial int clock_gettime(int clock, out timespec time);

#pragma warning disable CS8981, IDE1006 // The C names.
    private struct timespec
    {
        public nint tv_sec;
        public nint tv_nsec;
    }
#pragma warning restore CS8981, IDE1006
}
