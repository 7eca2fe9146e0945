using System.Diagnostics;
using System.Text.Json;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.KernelSettings;

/// <summary>The file that holds an <see cref="SettingsState"/>: one for a purpose and network namespace, changed only while the folder is locked.</summary>
internal sealed class SettingsStateFile
{
    // Of all purposes and namespaces, and never removed: it is held for milliseconds.
    private const string LockName = "lock";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly string _folder;
    private readonly string _path;

    /// <summary>Names the file.</summary>
    /// <param name="folder">Where state files are.</param>
    /// <param name="purpose">What the settings are changed for (<see cref="SettingsPurpose.Name"/>).</param>
    /// <param name="networkNamespace">Whose settings they are.</param>
    public SettingsStateFile(string folder, string purpose, NetworkNamespaceId networkNamespace)
    {
        _folder = folder;
        _path = Path.Join(folder, $"{purpose}-{networkNamespace.Name}.json");
    }

    /// <summary>Whether there is one.</summary>
    public bool Exists => File.Exists(_path);

    /// <summary>Locks the folder, until what is returned is disposed; waits for a while when another process has it.</summary>
    /// <exception cref="ConntrackException">It cannot be locked.</exception>
    public IDisposable Lock()
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                Directory.CreateDirectory(_folder, OwnerOnly | UnixFileMode.UserExecute);
                return new FileStream(Path.Join(_folder, LockName), new FileStreamOptions
                {
                    Mode = FileMode.OpenOrCreate,
                    Access = FileAccess.ReadWrite,
                    Share = FileShare.None,
                    UnixCreateMode = OwnerOnly,
                });
            }
            catch (IOException error) when (error.HResult == EAGAIN && Stopwatch.GetElapsedTime(started) < s_patience)
            {
                Thread.Sleep(10);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                throw Failed("opened", error);
            }
        }
    }

    /// <summary>Reads the state. No file, or an empty one, is an empty state, and so is one that was damaged.</summary>
    /// <exception cref="ConntrackException">It cannot be read.</exception>
    public SettingsState Read()
    {
        try
        {
            SettingsState? state = JsonSerializer.Deserialize(File.ReadAllBytes(_path), SettingsStateJson.Default.SettingsState);
            return state is { Found: not null, Wanted: not null, Holders: not null }
                && !state.Holders.Contains(null!) && !state.Found.ContainsValue(null!) && !state.Wanted.ContainsValue(null!) ? state : new SettingsState();
        }
        catch (Exception error) when (error is JsonException or FileNotFoundException)
        {
            return new SettingsState();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Failed("read", error);
        }
    }

    /// <summary>Writes the state: whoever is killed in between leaves the state as it was before.</summary>
    /// <exception cref="ConntrackException">It cannot be written.</exception>
    public void Write(SettingsState state)
    {
        string beside = _path + ".new";
        try
        {
            using (FileStream file = new(beside, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
                JsonSerializer.Serialize(file, state, SettingsStateJson.Default.SettingsState);
                file.Flush(flushToDisk: true);
            }

            File.Move(beside, _path, overwrite: true);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Failed("written", error);
        }
    }

    /// <summary>Removes the file; the caller holds the lock.</summary>
    public void Delete() => File.Delete(_path);

    private ConntrackException Failed(string verb, Exception error) => new(
        error is UnauthorizedAccessException ? ConntrackErrorReason.PermissionDenied : ConntrackErrorReason.SettingFailed,
        $"The state file {_path}, which stores the previous kernel settings, cannot be {verb}: {error.Message}",
        error);
}
