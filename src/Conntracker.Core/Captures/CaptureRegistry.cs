using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Conntracker.Core.Captures;

namespace Conntracker;

/// <summary>
/// The captures of this process, by name. They stop when the process ends, so that the kernel's settings are restored. A capture may
/// have an owner, a runspace that has imported the module. When an owner leaves, its captures are removed, and those of others continue.
/// </summary>
public static class CaptureRegistry
{
    // A start that was cancelled must restore what it has changed.
    private static readonly TimeSpan s_startPatience = TimeSpan.FromSeconds(10);

    private static readonly Lock s_lock = new();
    private static readonly SortedList<int, (Conntracker.Capture Capture, Guid Owner)> s_captures = [];
    private static readonly List<CaptureStart> s_starts = [];
    private static readonly HashSet<Guid> s_owners = [];
    private static int s_lastId;
    private static bool s_isWatchingExit;

    /// <summary>All captures, the oldest first.</summary>
    public static IReadOnlyList<Conntracker.Capture> All
    {
        get
        {
            lock (s_lock)
            {
                return [.. s_captures.Values.Select(each => each.Capture)];
            }
        }
    }

    /// <summary>Starts a capture and registers it. It is removed with the last owner.</summary>
    /// <param name="name">Its name; null for a generated one: <c>Capture1</c>.</param>
    /// <param name="options">Its options.</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <exception cref="ConntrackException">The name is taken, or the capture could not be started.</exception>
    public static Conntracker.Capture Start(string? name, CaptureOptions options, CancellationToken cancellation = default) =>
        Start(name, options, Guid.Empty, cancellation);

    /// <summary>Finds a capture; names are not case-sensitive.</summary>
    public static bool TryFind(string name, [NotNullWhen(true)] out Conntracker.Capture? capture)
    {
        lock (s_lock)
        {
            capture = s_captures.Values.FirstOrDefault(each => IsName(each.Capture.Name, name)).Capture;
            return capture is not null;
        }
    }

    /// <summary>Stops a capture, frees its flows and removes it from the registry.</summary>
    public static void Remove(Conntracker.Capture capture)
    {
        ArgumentNullException.ThrowIfNull(capture);
        lock (s_lock)
        {
            s_captures.Remove(capture.Id);
        }

        capture.Session.Dispose();
    }

    /// <summary>Removes every capture, and cancels those that are being started.</summary>
    public static void RemoveAll() => Remove(() => _ => true);

    /// <summary>Starts a capture and registers it.</summary>
    /// <param name="name">Its name; null for a generated one.</param>
    /// <param name="options">Its options.</param>
    /// <param name="owner">The owner with which it is removed (<see cref="RemoveOwner"/>).</param>
    /// <param name="cancellation">Cancels the start.</param>
    /// <exception cref="ConntrackException">The name is taken, the capture could not be started, or its owner left before it had started.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static Conntracker.Capture Start(string? name, CaptureOptions options, Guid owner, CancellationToken cancellation)
    {
        (int id, CaptureStart start) = Enter(name, owner, cancellation);
        CaptureSession? session = null;
        try
        {
            // Started without the lock: reading a large table takes long.
            session = CaptureSession.Start(options, start.Cancellation);
            lock (s_lock)
            {
                start.Cancellation.ThrowIfCancellationRequested();
                Conntracker.Capture capture = new(id, start.Name, options, session);
                s_captures.Add(id, (capture, owner));
                session = null;
                return capture;
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new ConntrackException(
                ConntrackErrorReason.CaptureNotRunning,
                $"The start of the capture '{start.Name}' was cancelled: the module was removed, or the process is ending.");
        }
        finally
        {
            session?.Dispose();
            lock (s_lock)
            {
                s_starts.Remove(start);
                start.Dispose();
            }

            start.End();
        }
    }

    /// <summary>Registers a runspace that has imported the module.</summary>
    public static void AddOwner(Guid owner)
    {
        lock (s_lock)
        {
            s_owners.Add(owner);
        }
    }

    /// <summary>Removes an owner that has ended. Its captures continue until the last owner leaves or the process ends.</summary>
    public static void ForgetOwner(Guid owner)
    {
        lock (s_lock)
        {
            s_owners.Remove(owner);
        }
    }

    /// <summary>Removes the captures of an owner that leaves, including those that are being started; with the last owner, all captures.</summary>
    public static void RemoveOwner(Guid owner) => Remove(() =>
    {
        s_owners.Remove(owner);
        bool isLast = s_owners.Count == 0;
        return each => isLast || each == owner;
    });

    // The captures are selected under the lock, so that those of an owner that is added now are not affected.
    private static void Remove(Func<Func<Guid, bool>> decide)
    {
        Conntracker.Capture[] captures;
        CaptureStart[] starts;
        lock (s_lock)
        {
            Func<Guid, bool> isConcerned = decide();
            captures = [.. s_captures.Values.Where(each => isConcerned(each.Owner)).Select(each => each.Capture)];
            starts = [.. s_starts.Where(each => isConcerned(each.Owner))];
            foreach (CaptureStart start in starts)
            {
                start.Cancel();
            }
        }

        foreach (Conntracker.Capture capture in captures)
        {
            capture.Session.RequestStop();
        }

        foreach (Conntracker.Capture capture in captures)
        {
            Remove(capture);
        }

        foreach (CaptureStart start in starts)
        {
            start.Wait(s_startPatience);
        }
    }

    private static (int Id, CaptureStart Start) Enter(string? name, Guid owner, CancellationToken cancellation)
    {
        lock (s_lock)
        {
            if (name is not null && IsTaken(name))
            {
                throw new ConntrackException(
                    ConntrackErrorReason.CaptureExists, $"A capture named '{name}' already exists. Use another name, or remove that capture first.");
            }

            int id;
            do
            {
                id = ++s_lastId;
            }
            while (name is null && IsTaken(DefaultName(id)));
            WatchExit();
            CaptureStart start = new(name ?? DefaultName(id), owner, cancellation);
            s_starts.Add(start);
            return (id, start);
        }
    }

    private static bool IsTaken(string name) => TryFind(name, out _) || s_starts.Exists(each => IsName(each.Name, name));

    private static bool IsName(string name, string other) => string.Equals(name, other, StringComparison.OrdinalIgnoreCase);

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
