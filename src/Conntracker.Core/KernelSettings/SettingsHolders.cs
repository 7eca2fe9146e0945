using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.KernelSettings;

/// <summary>
/// The captures that hold settings of the calling thread's network namespace changed, also those in containers, which share the namespace but not
/// /run. Each holder listens on an abstract unix socket whose name states the values found and set. Such names belong to the network namespace,
/// and the kernel removes them with their process. Only sockets of root or of this process's user count: any user can create such a name.
/// </summary>
internal sealed class SettingsHolders
{
    private const string ProcFile = "/proc/thread-self/net/unix";
    private const char Separator = '>';

    // The kernel allows a name of 107 bytes.
    private const int LongestName = 107;
    private const int MostNames = 4096;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly string _prefix;

    /// <param name="purpose">What the settings are changed for.</param>
    /// <param name="settingsDirectory">Where the settings are: any directory but the kernel's own has holders of its own.</param>
    public SettingsHolders(SettingsPurpose purpose, string settingsDirectory)
    {
        string scope = settingsDirectory == SettingsLease.SettingsDirectory
            ? "" : string.Create(CultureInfo.InvariantCulture, $"-{settingsDirectory.GetHashCode(StringComparison.Ordinal):x8}");
        _prefix = $"conntracker {purpose.Name}{scope} ";
    }

    /// <summary>Keeps the other captures of the network namespace from changing the settings, until the result is disposed.</summary>
    /// <returns>Null if the lock cannot be had: then only the state file's lock protects the settings.</returns>
    public IDisposable? Lock()
    {
        string name = _prefix + "lock";
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            if (Listen(name, out bool isTaken) is IDisposable listener)
            {
                return listener;
            }

            // An untrusted process, or one that holds the name for longer, must not keep captures from ending.
            if (!isTaken || Stopwatch.GetElapsedTime(started) > s_patience || IsTrusted(name) == false)
            {
                return null;
            }

            Thread.Sleep(10);
        }
    }

    /// <summary>Announces that settings are changed, until the result is disposed.</summary>
    /// <param name="settings">The value found and the value set, for each setting of the purpose in its order.</param>
    /// <returns>Null if the announcement failed.</returns>
    public IDisposable? Announce(IEnumerable<(string Found, string Wanted)> settings)
    {
        string values = string.Join(' ', settings.Select(each => $"{each.Found}{Separator}{each.Wanted}"));
        string name = $"{_prefix}{values} {Guid.NewGuid().ToString("N")[..8]}";
        return name.Length > LongestName ? null : Listen(name, out _);
    }

    /// <summary>The values that the holders have found and set: one entry per holder, with each setting of the purpose in its order.</summary>
    /// <param name="count">How many settings the purpose has.</param>
    public IReadOnlyList<(string Found, string Wanted)[]> Find(int count)
    {
        List<(string Found, string Wanted)[]> found = [];
        foreach (string name in Names())
        {
            string[] words = name[_prefix.Length..].Split(' ');
            (string Found, string Wanted)[] values =
                [.. words[..^1].Select(each => each.Split(Separator)).Where(each => each.Length == 2).Select(each => (each[0], each[1]))];
            if (values.Length == count && words.Length == count + 1 && IsTrusted(name) == true)
            {
                found.Add(values);
            }
        }

        return found;
    }

    private List<string> Names()
    {
        string mark = " @" + _prefix;
        try
        {
            return
            [
                .. File.ReadLines(ProcFile).Select(line => (Line: line, Start: line.IndexOf(mark, StringComparison.Ordinal)))
                    .Where(each => each.Start > 0).Select(each => each.Line[(each.Start + 2)..]).Distinct().Take(MostNames),
            ];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static Listener? Listen(string name, out bool isTaken)
    {
        isTaken = false;
        Socket? socket = null;
        try
        {
            socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            socket.Bind(Address(name));

            // IsTrusted connects, and nothing accepts the connection: it stays in the queue.
            socket.Listen(int.MaxValue);
            return new Listener(socket);
        }
        catch (SocketException error)
        {
            isTaken = error.SocketErrorCode == SocketError.AddressAlreadyInUse;
            socket?.Dispose();
            return null;
        }
    }

    // Null if nothing listens: the holder is just ending.
    private static bool? IsTrusted(string name)
    {
        try
        {
            using Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(Address(name));
            Span<int> credentials = stackalloc int[3];
            _ = socket.GetRawSocketOption(SOL_SOCKET, SO_PEERCRED, MemoryMarshal.AsBytes(credentials));
            return credentials[1] == 0 || (uint)credentials[1] == geteuid();
        }
        catch (SocketException error)
        {
            return error.SocketErrorCode == SocketError.ConnectionRefused ? null : false;
        }
    }

    private static UnixDomainSocketEndPoint Address(string name) => new("\0" + name);

    /// <summary>A name that is held.</summary>
    private sealed class Listener(Socket socket) : IDisposable
    {
        public void Dispose()
        {
            // A program that is being started holds a copy of the descriptor for a moment: that copy must not listen either.
            socket.Shutdown(SocketShutdown.Both);
            socket.Dispose();
        }
    }
}
