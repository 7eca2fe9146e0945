using System.Diagnostics;
using System.Globalization;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>Whether another network namespace is connected to the capture's.</summary>
internal enum NamespaceConnection
{
    /// <summary>The namespace was gone before it could be read, or must not be entered.</summary>
    Unknown,

    /// <summary>No link leads from it to the capture's namespace: none of its packets can be in the capture's flows.</summary>
    None,

    /// <summary>Links lead to the capture's namespace.</summary>
    Linked,
}

/// <summary>
/// Decides which other network namespaces may name the process of a flow: those with links that lead to the capture's (<see cref="NamespaceLinks"/>).
/// Any user can create a namespace in which any address is local. Used by one thread, which briefly enters other namespaces.
/// </summary>
internal sealed class ConnectedNamespaces : IDisposable
{
    private const int MaximumNamespaces = 16_384;
    private const int MaximumRefused = 4096;
    private const int WalkPauseFactor = 9;
    private const int FirstPause = 100;
    private const int LongestPause = 2000;

    private readonly SafeFileDescriptor _own;
    private readonly HashSet<ulong> _linked = [];
    private readonly Dictionary<ulong, (NamespaceConnection Connection, long Until, int Pause)> _others = [];
    private long _nextWalk;

    /// <summary>Remembers the calling thread's namespace as the capture's.</summary>
    public ConnectedNamespaces() => _own = OpenNamespace("/proc/thread-self/ns/net");

    /// <summary>Reads the cookie of the calling thread's namespace where the socket option is missing; null when there is no other way.</summary>
    public Func<ulong>? ReadCookie { get; set; }

    /// <summary>Why a namespace could not be entered; null when all could.</summary>
    public string? Failure { get; private set; }

    /// <summary>Whether links lead from a namespace to the capture's. A negative result is soon checked again: a link may be added later.</summary>
    /// <param name="cookie">The namespace's cookie.</param>
    /// <param name="process">A process that uses a socket in the namespace.</param>
    public NamespaceConnection Find(ulong cookie, int process)
    {
        if (_linked.Contains(cookie))
        {
            return NamespaceConnection.Linked;
        }

        bool isKnown = _others.TryGetValue(cookie, out (NamespaceConnection Connection, long Until, int Pause) other);
        if (isKnown && Environment.TickCount64 < other.Until)
        {
            return other.Connection;
        }

        NamespaceConnection connection = Look(cookie, process);
        if (connection == NamespaceConnection.Linked)
        {
            // Unprivileged users cannot add to these: when the set is full, most of its namespaces are gone.
            if (_linked.Count >= MaximumNamespaces)
            {
                _linked.Clear();
            }

            _linked.Add(cookie);
            _others.Remove(cookie);
        }
        else
        {
            if (_others.Count >= MaximumRefused)
            {
                _others.Clear();
            }

            int pause = isKnown ? Math.Min(other.Pause * 2, LongestPause) : FirstPause;
            _others[cookie] = (connection, Environment.TickCount64 + pause, pause);
        }

        return connection;
    }

    /// <inheritdoc/>
    public void Dispose() => _own.Dispose();

    // First the process itself, then named namespaces, then any process: the first may be gone, or have entered another namespace.
    private NamespaceConnection Look(ulong cookie, int process)
    {
        if (_own.IsInvalid)
        {
            return NamespaceConnection.Unknown;
        }

        NamespaceConnection found;
        try
        {
            found = TryLook(PathOf(process), cookie) ?? Walk(cookie);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The listed namespace is gone by now.
            found = NamespaceConnection.Unknown;
        }

        if (SafeLibC.setns(_own, CLONE_NEWNET) < 0)
        {
            throw new ConntrackException(
                ConntrackErrorReason.KernelRefused, $"Could not enter the capture's network namespace again: {Errno.Describe(Errno.Last)}.");
        }

        return found;
    }

    private NamespaceConnection Walk(ulong cookie)
    {
        long start = Stopwatch.GetTimestamp();
        if (start < _nextWalk)
        {
            return NamespaceConnection.Unknown;
        }

        NamespaceConnection? found = null;
        HashSet<string> seen = [];
        foreach (string path in Paths())
        {
            if ((!path.StartsWith("/proc/", StringComparison.Ordinal) || (LinkOf(path) is string link && seen.Add(link)))
                && (found = TryLook(path, cookie)) is not null)
            {
                break;
            }
        }

        long end = Stopwatch.GetTimestamp();
        _nextWalk = end + ((end - start) * WalkPauseFactor);
        return found ?? NamespaceConnection.Unknown;
    }

    private static IEnumerable<string> Paths()
    {
        string[] named = Directory.Exists("/run/netns") ? Directory.GetFiles("/run/netns") : [];
        string[] ofDocker = Directory.Exists("/run/docker/netns") ? Directory.GetFiles("/run/docker/netns") : [];
        return named.Concat(ofDocker).Concat(Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out int id) ? PathOf(id) : null)
            .OfType<string>());
    }

    private static string PathOf(int process) => string.Create(CultureInfo.InvariantCulture, $"/proc/{process}/ns/net");

    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // Null when the path is not the namespace with this cookie.
    private NamespaceConnection? TryLook(string path, ulong cookie)
    {
        using SafeFileDescriptor file = OpenNamespace(path);
        if (file.IsInvalid)
        {
            return null;
        }

        if (SafeLibC.setns(file, CLONE_NEWNET) < 0)
        {
            Failure ??= Errno.Describe(Errno.Last);
            return null;
        }

        try
        {
            using NamespaceLinks links = new();
            ulong entered = links.Cookie;
            entered = entered == 0 ? ReadCookie?.Invoke() ?? 0 : entered;
            return entered != cookie ? null : links.LeadTo(_own) ? NamespaceConnection.Linked : NamespaceConnection.None;
        }
        catch (ConntrackException error)
        {
            Failure ??= error.Message;
            return null;
        }
    }

    private static SafeFileDescriptor OpenNamespace(string path) => new(SafeLibC.open(path, O_RDONLY | O_CLOEXEC));
}
