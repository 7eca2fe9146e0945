namespace Conntracker.Core.Firewall;

/// <summary>
/// Changes settings of the kernel while somebody needs it, and puts them back when the last one is done. What was found stands in a file
/// below /run before anything is changed, so that the next start puts back what a killed process left.
/// The settings belong to a network namespace: make, use and dispose a lease on a thread that is in it.
/// </summary>
internal sealed class SettingsLease : IDisposable
{
    /// <summary>Where the kernel keeps the settings of the calling thread's network namespace.</summary>
    public const string SettingsFolder = "/proc/sys/net/netfilter";

    /// <summary>Where the state files are: gone with the next boot, as the settings are.</summary>
    public const string StateFolder = "/run/conntracker";

    private readonly SettingsPurpose _purpose;
    private readonly string _settingsFolder;
    private readonly SettingsStateFile _file;
    private readonly SettingsHolder _holder;

    private SettingsLease(SettingsPurpose purpose, string settingsFolder, SettingsStateFile file, SettingsHolder holder)
    {
        _purpose = purpose;
        _settingsFolder = settingsFolder;
        _file = file;
        _holder = holder;
    }

    /// <summary>Changes settings; with others that have changed them to the same, they are shared.</summary>
    /// <param name="purpose">What for.</param>
    /// <param name="wanted">The purpose's settings with the values that they shall have.</param>
    /// <param name="namespaceCookie">The kernel's cookie of the calling thread's network namespace.</param>
    /// <param name="settingsFolder">Where the settings are.</param>
    /// <param name="stateFolder">Where the state files are.</param>
    /// <exception cref="ConntrackException">
    /// A setting or the state file cannot be read or written, or somebody needs another value meanwhile. Nothing is left changed.
    /// </exception>
    public static SettingsLease Acquire(
        SettingsPurpose purpose,
        IReadOnlyDictionary<string, string> wanted,
        ulong namespaceCookie,
        string settingsFolder = SettingsFolder,
        string stateFolder = StateFolder)
    {
        SettingsStateFile file = new(stateFolder, purpose.Name, namespaceCookie);
        SettingsHolder holder = new(Environment.ProcessId, ProcessIdentity.StartOf(Environment.ProcessId) ?? 0, Guid.NewGuid());
        SettingsLease lease = new(purpose, settingsFolder, file, holder);
        using FileStream locked = file.Lock();
        SettingsState state = SettingsStateFile.Read(locked);
        lease.PutBackLeftovers(state);
        if (state.Holders.Count == 0)
        {
            foreach ((string setting, string value) in wanted)
            {
                state.Found[setting] = lease.ReadSetting(setting);
                state.Wanted[setting] = value;
            }
        }
        else
        {
            lease.RefuseAnotherValue(state, wanted);
        }

        state.Holders.Add(holder);
        SettingsStateFile.Write(locked, state);
        try
        {
            foreach ((string setting, string value) in wanted)
            {
                lease.WriteSetting(setting, value);
            }
        }
        catch
        {
            lease.Release(locked, state);
            throw;
        }

        return lease;
    }

    /// <summary>Puts back what processes that are gone have left changed in the calling thread's network namespace.</summary>
    /// <returns>True when something was put back.</returns>
    public static bool Recover(
        SettingsPurpose purpose, ulong namespaceCookie, string settingsFolder = SettingsFolder, string stateFolder = StateFolder)
    {
        SettingsStateFile file = new(stateFolder, purpose.Name, namespaceCookie);
        if (!file.Exists)
        {
            return false;
        }

        SettingsLease none = new(purpose, settingsFolder, file, new SettingsHolder(0, 0, Guid.Empty));
        using FileStream locked = file.Lock();
        return none.Release(locked, SettingsStateFile.Read(locked));
    }

    /// <summary>Puts the settings back, unless another capture still needs them.</summary>
    public void Dispose()
    {
        using FileStream locked = _file.Lock();
        _ = Release(locked, SettingsStateFile.Read(locked));
    }

    private bool Release(FileStream locked, SettingsState state)
    {
        state.Holders.Remove(_holder);
        bool isPutBack = PutBackLeftovers(state);
        if (state.Holders.Count == 0)
        {
            _file.Delete();
        }
        else
        {
            SettingsStateFile.Write(locked, state);
        }

        return isPutBack;
    }

    private bool PutBackLeftovers(SettingsState state)
    {
        state.Holders.RemoveAll(holder => ProcessIdentity.StartOf(holder.ProcessId) != holder.ProcessStart);
        if (state.Holders.Count > 0)
        {
            return false;
        }

        bool isPutBack = false;
        foreach ((string setting, string found) in state.Found)
        {
            // Who has set it to something else in the meantime meant it.
            if (_purpose.Settings.ContainsKey(setting) && found != Wanted(state, setting) && ReadSetting(setting) == Wanted(state, setting))
            {
                WriteSetting(setting, found);
                isPutBack = true;
            }
        }

        state.Found.Clear();
        state.Wanted.Clear();
        return isPutBack;
    }

    private void RefuseAnotherValue(SettingsState state, IReadOnlyDictionary<string, string> wanted)
    {
        foreach ((string setting, string value) in wanted)
        {
            if (Wanted(state, setting) is string other && other != value)
            {
                throw new ConntrackException(
                    ConntrackErrorReason.SettingFailed,
                    $"{_purpose.Subject} needs {NameOf(setting)} set to {value}, but another capture (process {state.Holders[0].ProcessId}) needs it to be {other}. Stop that one first.");
            }
        }
    }

    private string Wanted(SettingsState state, string setting) => state.Wanted.GetValueOrDefault(setting, _purpose.Settings[setting]);

    private string ReadSetting(string setting) => Try(setting, "read", path => File.ReadAllText(path).Trim());

    private void WriteSetting(string setting, string value) =>
        Try(setting, "set", path =>
        {
            File.WriteAllText(path, value);
            return value;
        });

    private static string NameOf(string setting) => $"net.netfilter.{setting.Replace('/', '.')}";

    private string Try(string setting, string verb, Func<string, string> act)
    {
        string path = Path.Join(_settingsFolder, setting);
        try
        {
            return act(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            ConntrackErrorReason reason = error switch
            {
                FileNotFoundException or DirectoryNotFoundException => ConntrackErrorReason.KernelFeatureMissing,
                UnauthorizedAccessException => ConntrackErrorReason.PermissionDenied,
                _ => ConntrackErrorReason.SettingFailed,
            };
            throw new ConntrackException(reason, $"{_purpose.Subject} needs {NameOf(setting)}, which could not be {verb}: {error.Message}", error);
        }
    }
}
