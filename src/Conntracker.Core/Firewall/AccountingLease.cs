using System.Globalization;

namespace Conntracker.Core.Firewall;

/// <summary>
/// Has the kernel count and time connections while somebody needs it, and puts the settings back when the last one is done. What was
/// found stands in a file below /run before anything is changed, so that the next start puts back what a killed process left.
/// The settings belong to a network namespace: make, use and dispose a lease on a thread that is in it.
/// </summary>
internal sealed class AccountingLease : IDisposable
{
    /// <summary>Where the kernel keeps the settings of the calling thread's network namespace.</summary>
    public const string SettingsFolder = "/proc/sys/net/netfilter";

    /// <summary>Where the state files are: gone with the next boot, as the settings are.</summary>
    public const string StateFolder = "/run/conntracker";

    private const string On = "1";
    private static readonly string[] s_settings = ["nf_conntrack_acct", "nf_conntrack_timestamp"];

    private readonly string _settingsFolder;
    private readonly AccountingStateFile _file;
    private readonly AccountingHolder _holder;

    private AccountingLease(string settingsFolder, AccountingStateFile file, AccountingHolder holder)
    {
        _settingsFolder = settingsFolder;
        _file = file;
        _holder = holder;
    }

    /// <summary>Switches accounting on.</summary>
    /// <param name="namespaceCookie">The kernel's cookie of the calling thread's network namespace.</param>
    /// <param name="settingsFolder">Where the settings are.</param>
    /// <param name="stateFolder">Where the state files are.</param>
    /// <exception cref="ConntrackException">A setting or the state file cannot be read or written. Nothing is left changed.</exception>
    public static AccountingLease Acquire(ulong namespaceCookie, string settingsFolder = SettingsFolder, string stateFolder = StateFolder)
    {
        AccountingStateFile file = new(stateFolder, namespaceCookie);
        AccountingHolder holder = new(Environment.ProcessId, ProcessStart(Environment.ProcessId) ?? 0, Guid.NewGuid());
        AccountingLease lease = new(settingsFolder, file, holder);
        using FileStream locked = file.Lock();
        AccountingState state = AccountingStateFile.Read(locked);
        PutBackLeftovers(settingsFolder, state);
        if (state.Holders.Count == 0)
        {
            foreach (string setting in s_settings)
            {
                state.Found[setting] = ReadSetting(settingsFolder, setting);
            }
        }

        state.Holders.Add(holder);
        AccountingStateFile.Write(locked, state);
        try
        {
            foreach (string setting in s_settings)
            {
                WriteSetting(settingsFolder, setting, On);
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
    public static bool Recover(ulong namespaceCookie, string settingsFolder = SettingsFolder, string stateFolder = StateFolder)
    {
        AccountingStateFile file = new(stateFolder, namespaceCookie);
        if (!file.Exists)
        {
            return false;
        }

        using FileStream locked = file.Lock();
        AccountingState state = AccountingStateFile.Read(locked);
        bool isPutBack = PutBackLeftovers(settingsFolder, state);
        if (state.Holders.Count == 0)
        {
            file.Delete();
        }
        else
        {
            AccountingStateFile.Write(locked, state);
        }

        return isPutBack;
    }

    /// <summary>Puts the settings back, unless another capture still needs them.</summary>
    public void Dispose()
    {
        using FileStream locked = _file.Lock();
        Release(locked, AccountingStateFile.Read(locked));
    }

    private void Release(FileStream locked, AccountingState state)
    {
        state.Holders.Remove(_holder);
        PutBackLeftovers(_settingsFolder, state);
        if (state.Holders.Count == 0)
        {
            _file.Delete();
        }
        else
        {
            AccountingStateFile.Write(locked, state);
        }
    }

    private static bool PutBackLeftovers(string settingsFolder, AccountingState state)
    {
        state.Holders.RemoveAll(holder => ProcessStart(holder.ProcessId) != holder.ProcessStart);
        if (state.Holders.Count > 0)
        {
            return false;
        }

        bool isPutBack = false;
        foreach ((string setting, string found) in state.Found)
        {
            // Who has set it to something else in the meantime meant it.
            if (Array.IndexOf(s_settings, setting) >= 0 && found != On && ReadSetting(settingsFolder, setting) == On)
            {
                WriteSetting(settingsFolder, setting, found);
                isPutBack = true;
            }
        }

        state.Found.Clear();
        return isPutBack;
    }

    private static string ReadSetting(string folder, string setting) =>
        Try(folder, setting, "read", path => File.ReadAllText(path).Trim());

    private static void WriteSetting(string folder, string setting, string value) =>
        Try(folder, setting, "set", path =>
        {
            File.WriteAllText(path, value);
            return value;
        });

    private static string Try(string folder, string setting, string verb, Func<string, string> act)
    {
        string path = Path.Join(folder, setting);
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
            throw new ConntrackException(reason, $"Accounting needs net.netfilter.{setting}, which could not be {verb}: {error.Message}", error);
        }
    }

    // Field 22 of /proc/PID/stat; the name in field 2 may hold anything, so count from the last parenthesis.
    private static long? ProcessStart(int processId)
    {
        try
        {
            string stat = File.ReadAllText($"/proc/{processId}/stat");
            string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return long.Parse(fields[19], CultureInfo.InvariantCulture);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
