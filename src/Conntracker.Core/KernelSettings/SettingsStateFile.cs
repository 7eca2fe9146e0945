using System.Diagnostics;
using System.Text.Json;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.KernelSettings;

/// <summary>The file that holds a <see cref="SettingsState"/>: one per purpose and network namespace, written only while the directory is locked.</summary>
internal sealed class SettingsStateFile
{
    // Shared by all purposes and namespaces, and never removed: it is held for milliseconds.
    private const string LockName = "lock";
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly string _directory;
    private readonly string _path;

    /// <summary>The file of a purpose and a network namespace.</summary>
    /// <param name="directory">The directory of the state files.</param>
    /// <param name="purpose">What the settings are changed for (<see cref="SettingsPurpose.Name"/>).</param>
    /// <param name="networkNamespace">The namespace of the settings.</param>
    public SettingsStateFile(string directory, string purpose, NetworkNamespaceId networkNamespace)
    {
        _directory = directory;
        _path = Path.Join(directory, $"{purpose}-{networkNamespace.Name}.json");
    }

    /// <summary>Whether the file exists.</summary>
    public bool Exists => File.Exists(_path);

    /// <summary>Locks the directory until the result is disposed. Waits for a while if another process holds the lock.</summary>
    /// <exception cref="ConntrackException">The directory cannot be locked.</exception>
    public IDisposable Lock()
    {
        long started = Stopwatch.GetTimestamp();
        while (true)
        {
            try
            {
                Directory.CreateDirectory(_directory, OwnerOnly | UnixFileMode.UserExecute);
                return new FileStream(Path.Join(_directory, LockName), new FileStreamOptions
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

    /// <summary>Reads the state. A missing, empty or damaged file is an empty state.</summary>
    /// <exception cref="ConntrackException">The file cannot be read.</exception>
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

    /// <summary>Writes the state. A process killed in between leaves the old state.</summary>
    /// <exception cref="ConntrackException">The file cannot be written.</exception>
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

    /// <summary>Removes the file. The caller holds the lock.</summary>
    public void Delete() => File.Delete(_path);

    private ConntrackException Failed(string verb, Exception error) => new(
        error is UnauthorizedAccessException ? ConntrackErrorReason.PermissionDenied : ConntrackErrorReason.SettingFailed,
        $"The state file {_path}, which stores the previous kernel settings, cannot be {verb}: {error.Message}",
        error);
}
