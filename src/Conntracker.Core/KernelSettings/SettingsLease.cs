using Conntracker.Core.Native;

namespace Conntracker.Core.KernelSettings;

/// <summary>
/// Changes settings of the kernel while a capture needs them, and restores them when the last one ends. The values found are written to a file
/// below /run before anything is changed, so that the next start restores what a killed process left behind.
/// The settings belong to a network namespace: acquire, use and dispose a lease on a thread that is in it.
/// </summary>
internal sealed class SettingsLease : IDisposable
{
    /// <summary>The directory of the settings, as the calling thread's network namespace sees them.</summary>
    public const string SettingsDirectory = "/proc/sys/net/netfilter";

    /// <summary>The directory of the state files. A reboot removes them, and resets the settings.</summary>
    public const string StateDirectory = "/run/conntracker";

    private readonly SettingsPurpose _purpose;
    private readonly string _settingsDirectory;
    private readonly SettingsStateFile _file;
    private readonly SettingsHolders _holders;
    private readonly SettingsHolder _holder = new(Environment.ProcessId, ProcessIdentity.StartOf(Environment.ProcessId) ?? 0, Guid.NewGuid());
    private readonly bool _isLasting;
    private IReadOnlyDictionary<string, string> _wanted;
    private IDisposable? _announcement;

    private SettingsLease(SettingsPurpose purpose, NetworkNamespaceId networkNamespace, string settingsDirectory, string stateDirectory)
    {
        _purpose = purpose;
        _wanted = purpose.Settings;
        _settingsDirectory = settingsDirectory;
        _file = new SettingsStateFile(stateDirectory, purpose.Name, networkNamespace);
        _holders = new SettingsHolders(purpose, settingsDirectory);
        _isLasting = networkNamespace.IsLasting;
    }

    /// <summary>Changes settings. Captures that change them to the same values share them.</summary>
    /// <param name="purpose">What the settings are changed for.</param>
    /// <param name="wanted">The purpose's settings with their new values.</param>
    /// <param name="networkNamespace">The calling thread's network namespace.</param>
    /// <param name="settingsDirectory">Where the settings are.</param>
    /// <param name="stateDirectory">Where the state files are.</param>
    /// <exception cref="ConntrackException">
    /// A setting or the state file cannot be read or written, or another capture currently needs another value. Nothing stays changed.
    /// </exception>
    public static SettingsLease Acquire(
        SettingsPurpose purpose,
        IReadOnlyDictionary<string, string> wanted,
        NetworkNamespaceId networkNamespace,
        string settingsDirectory = SettingsDirectory,
        string stateDirectory = StateDirectory)
    {
        SettingsLease lease = new(purpose, networkNamespace, settingsDirectory, stateDirectory) { _wanted = wanted };
        using IDisposable fileLock = lease._file.Lock();
        using IDisposable? namespaceLock = lease._holders.Lock();
        lease.Change();
        return lease;
    }

    /// <summary>Restores what ended processes have left changed in the calling thread's network namespace.</summary>
    public static SettingsRecovery Recover(
        SettingsPurpose purpose, NetworkNamespaceId networkNamespace, string settingsDirectory = SettingsDirectory, string stateDirectory = StateDirectory)
    {
        SettingsLease none = new(purpose, networkNamespace, settingsDirectory, stateDirectory);
        if (!none._file.Exists)
        {
            return SettingsRecovery.None;
        }

        using IDisposable fileLock = none._file.Lock();
        using IDisposable? namespaceLock = none._holders.Lock();
        return none.Release(none._file.Read());
    }

    /// <summary>
    /// Finds a setting that another program has changed since. The lease never sets it a second time: the change was made on purpose.
    /// </summary>
    /// <returns>What happened, as the beginning of a sentence: <c>net.netfilter.nf_conntrack_acct is 0, and was set to 1</c>; otherwise null.</returns>
    public string? FindChanged()
    {
        foreach ((string setting, string value) in _wanted)
        {
            if (ReadSetting(setting) is string now && now != value)
            {
                return $"{NameOf(setting)} is {now}, and was set to {value}";
            }
        }

        return null;
    }

    /// <summary>Restores the settings, unless another capture still needs them.</summary>
    public void Dispose()
    {
        using IDisposable fileLock = _file.Lock();
        using IDisposable? namespaceLock = _holders.Lock();
        _ = Release(_file.Read());
    }

    private void Change()
    {
        SettingsState state = _file.Read();
        _ = RestoreLeftovers(state, wasHolder: false);
        IReadOnlyList<(string Found, string Wanted)[]> others = _holders.Find(_purpose.Settings.Count);
        RefuseAnotherValue(state, others);
        if (state.Holders.Count == 0)
        {
            int i = 0;
            foreach (string setting in _purpose.Settings.Keys)
            {
                // A capture that shares the namespace but not the file knows the original value.
                state.Found[setting] = others.Count > 0 ? others[0][i].Found : ReadSetting(setting);
                state.Wanted[setting] = _wanted[setting];
                i++;
            }
        }

        state.Holders.Add(_holder);
        _file.Write(state);
        try
        {
            foreach ((string setting, string value) in _wanted)
            {
                WriteSetting(setting, value);
            }

            _announcement = _holders.Announce(_purpose.Settings.Keys.Select(each => (state.Found.GetValueOrDefault(each, _wanted[each]), _wanted[each])));
        }
        catch
        {
            Release(state);
            throw;
        }
    }

    private SettingsRecovery Release(SettingsState state)
    {
        _announcement?.Dispose();
        SettingsRecovery recovery = RestoreLeftovers(state, wasHolder: state.Holders.Remove(_holder));
        if (state.Holders.Count == 0)
        {
            _file.Delete();
        }
        else
        {
            _file.Write(state);
        }

        return recovery;
    }

    private SettingsRecovery RestoreLeftovers(SettingsState state, bool wasHolder)
    {
        state.Holders.RemoveAll(holder => ProcessIdentity.StartOf(holder.ProcessId) != holder.ProcessStart);
        if (state.Holders.Count > 0)
        {
            return SettingsRecovery.None;
        }

        // A capture elsewhere that still needs the settings restores them itself. Where a namespace cannot be distinguished from a later one, the changed
        // settings may belong to the later one by now.
        bool isNeeded = _holders.Find(_purpose.Settings.Count).Count > 0;
        bool isKnown = wasHolder || _isLasting;
        SettingsRecovery recovery = SettingsRecovery.None;
        foreach ((string setting, string found) in state.Found)
        {
            // A program that has set another value in between meant it.
            bool isLeft = _purpose.Settings.ContainsKey(setting) && found != Wanted(state, setting) && ReadSetting(setting) == Wanted(state, setting);
            if (isLeft && !isNeeded && isKnown)
            {
                WriteSetting(setting, found);
            }

            recovery = !isLeft || isNeeded ? recovery : isKnown ? SettingsRecovery.PutBack : SettingsRecovery.Unknown;
        }

        state.Found.Clear();
        state.Wanted.Clear();
        return recovery;
    }

    private void RefuseAnotherValue(SettingsState state, IReadOnlyList<(string Found, string Wanted)[]> others)
    {
        int i = 0;
        foreach (string setting in _purpose.Settings.Keys)
        {
            string value = _wanted[setting];
            string? other = state.Holders.Count > 0 ? Wanted(state, setting) : others.Count > 0 ? others[0][i].Wanted : null;
            i++;
            if (other is not null && other != value)
            {
                string who = state.Holders.Count > 0 ? $"process {state.Holders[0].ProcessId}" : "perhaps in a container";
                throw new ConntrackException(
                    ConntrackErrorReason.SettingFailed,
                    $"{_purpose.Subject} needs {NameOf(setting)} set to {value}, but another capture ({who}) needs it set to {other}. " +
                        "Stop that capture first.");
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

    /// <summary>A setting's name in sysctl(8).</summary>
    public static string NameOf(string setting) => $"net.netfilter.{setting.Replace('/', '.')}";

    private string Try(string setting, string verb, Func<string, string> act)
    {
        string path = Path.Join(_settingsDirectory, setting);
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
