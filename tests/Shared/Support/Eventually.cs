using System.Diagnostics;
using Xunit;

namespace Conntracker.Tests;

/// <summary>Waits for what must come, and not longer than it takes.</summary>
internal static class Eventually
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan s_pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until both are equal; at the deadline it fails and shows the difference.</summary>
    public static void Equal<T>(Func<T> expected, Func<T> actual)
    {
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < s_patience)
        {
            // Expected before actual: what the kernel tells first, the capture must know soon after.
            if (Equals(expected(), actual()))
            {
                return;
            }

            Thread.Sleep(s_pause);
        }

        Assert.Equal(expected(), actual());
    }

    /// <summary>Waits until it holds.</summary>
    public static void True(string what, Func<bool> condition)
    {
        long started = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Assert.True(Stopwatch.GetElapsedTime(started) < s_patience, $"Not seen in time: {what}");
            Thread.Sleep(s_pause);
        }
    }

    /// <summary>Waits until there is one, and gives it.</summary>
    public static T Find<T>(string what, Func<T?> find)
        where T : class
    {
        T? found = null;
        True(what, () => (found = find()) is not null);
        return found!;
    }
}
