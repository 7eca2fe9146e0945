using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Conntracker.Core.Native;

namespace Conntracker.Core.Firewall;

/// <summary>The file that holds an <see cref="SettingsState"/>: one a purpose and network namespace, changed only under its lock.</summary>
internal sealed class SettingsStateFile
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly string _folder;
    private readonly string _path;

    /// <summary>Names the file.</summary>
    /// <param name="folder">Where state files are.</param>
    /// <param name="purpose">What the settings are changed for (<see cref="SettingsPurpose.Name"/>).</param>
    /// <param name="namespaceCookie">The kernel's cookie of the network namespace.</param>
    public SettingsStateFile(string folder, string purpose, ulong namespaceCookie)
    {
        _folder = folder;
        _path = Path.Join(folder, string.Create(CultureInfo.InvariantCulture, $"{purpose}-{namespaceCookie}.json"));
    }

    /// <summary>Whether there is one.</summary>
    public bool Exists => File.Exists(_path);

    /// <summary>Opens the file and locks it; waits for a while when another process has it.</summary>
    /// <exception cref="ConntrackException">It cannot be opened.</exception>
    public FileStream Lock()
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                Directory.CreateDirectory(_folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
                FileStream file = new(_path, new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.None,
                    UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
                });
                if (HasName(file))
                {
                    return file;
                }

                // Whoever had the lock before has deleted the file: what we hold has no name any more.
                file.Dispose();
            }
            catch (IOException error) when (error.HResult == ErrnoConstants.EAGAIN && Stopwatch.GetElapsedTime(started) < s_patience)
            {
                Thread.Sleep(10);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw new ConntrackException(
                    error is UnauthorizedAccessException ? ConntrackErrorReason.PermissionDenied : ConntrackErrorReason.SettingFailed,
                    $"The state file {_path}, which keeps the kernel's settings as they were, cannot be opened: {error.Message}",
                    error);
            }
        }
    }

    /// <summary>Reads the state. An empty file is an empty state, and so is one that was cut off while it was written, or that is none.</summary>
    public static SettingsState Read(FileStream locked)
    {
        locked.Position = 0;
        try
        {
            SettingsState? state = locked.Length == 0 ? null : JsonSerializer.Deserialize(locked, SettingsStateJson.Default.SettingsState);
            return state is { Found: not null, Wanted: not null, Holders: not null }
                && !state.Holders.Contains(null!) && !state.Found.ContainsValue(null!) && !state.Wanted.ContainsValue(null!) ? state : new SettingsState();
        }
        catch (JsonException)
        {
            return new SettingsState();
        }
    }

    /// <summary>Writes the state.</summary>
    public static void Write(FileStream locked, SettingsState state)
    {
        locked.Position = 0;
        JsonSerializer.Serialize(locked, state, SettingsStateJson.Default.SettingsState);
        locked.SetLength(locked.Position);
        locked.Flush(flushToDisk: true);
    }

    /// <summary>Removes the file; the caller holds the lock.</summary>
    public void Delete() => File.Delete(_path);

    // Not whether there is a file of this name: it may be another one, that a third process has made since.
    private static bool HasName(FileStream file) =>
        new FileInfo($"/proc/self/fd/{file.SafeFileHandle.DangerousGetHandle()}").LinkTarget?.EndsWith(" (deleted)", StringComparison.Ordinal) == false;
}
