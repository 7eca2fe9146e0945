using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Conntracker.Core.Capture;

/// <summary>The captures of this process, by name. They stop when the process ends, so that the kernel's settings are put back.</summary>
public static class CaptureRegistry
{
    private static readonly Lock s_gate = new();
    private static readonly SortedList<int, Conntracker.Capture> s_captures = [];
    private static readonly HashSet<string> s_starting = new(StringComparer.OrdinalIgnoreCase);
    private static int s_lastId;
    private static bool s_isWatchingExit;

    /// <summary>All captures, the oldest first.</summary>
    public static IReadOnlyList<Conntracker.Capture> All
    {
        get
        {
            lock (s_gate)
            {
                return [.. s_captures.Values];
            }
        }
    }

    /// <summary>Starts a capture and enters it.</summary>
    /// <param name="name">Its name; null makes one: <c>Capture1</c>.</param>
    /// <param name="options">How.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ConntrackException">The name is taken, or the capture could not be started.</exception>
    public static Conntracker.Capture Start(string? name, CaptureOptions options, CancellationToken cancellation = default)
    {
        int id;
        lock (s_gate)
        {
            if (name is not null && (TryFind(name, out _) || !s_starting.Add(name)))
            {
                throw new ConntrackException(
                    ConntrackErrorReason.CaptureExists, $"There is a capture named '{name}' already. Give another name, or remove that one first.");
            }

            do
            {
                id = ++s_lastId;
            }
            while (name is null && TryFind(DefaultName(id), out _));
            WatchExit();
        }

        try
        {
            // Started without the lock: it takes as long as the kernel's table is large.
            CaptureSession session = CaptureSession.Start(options, cancellation);
            Conntracker.Capture capture = new(id, name ?? DefaultName(id), options, session);
            lock (s_gate)
            {
                s_captures.Add(id, capture);
            }

            return capture;
        }
        finally
        {
            lock (s_gate)
            {
                s_starting.Remove(name ?? "");
            }
        }
    }

    /// <summary>Finds a capture; names do not tell upper from lower case.</summary>
    public static bool TryFind(string name, [NotNullWhen(true)] out Conntracker.Capture? capture)
    {
        lock (s_gate)
        {
            capture = s_captures.Values.FirstOrDefault(each => string.Equals(each.Name, name, StringComparison.OrdinalIgnoreCase));
            return capture is not null;
        }
    }

    /// <summary>Stops a capture, frees its flows and forgets it.</summary>
    public static void Remove(Conntracker.Capture capture)
    {
        ArgumentNullException.ThrowIfNull(capture);
        lock (s_gate)
        {
            s_captures.Remove(capture.Id);
        }

        capture.Session.Dispose();
    }

    /// <summary>Removes every capture.</summary>
    public static void RemoveAll()
    {
        IReadOnlyList<Conntracker.Capture> captures = All;
        foreach (Conntracker.Capture capture in captures)
        {
            capture.Session.RequestStop();
        }

        foreach (Conntracker.Capture capture in captures)
        {
            Remove(capture);
        }
    }

    private static string DefaultName(int id) => string.Create(CultureInfo.InvariantCulture, $"Capture{id}");

    private static void WatchExit()
    {
        if (!s_isWatchingExit)
        {
            s_isWatchingExit = true;
            AppDomain.CurrentDomain.ProcessExit += (_, _) => RemoveAll();
        }
    }
}
