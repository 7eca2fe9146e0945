namespace Conntracker.Core.KernelSettings;

/// <summary>The setting net.netfilter.nf_conntrack_events of the calling thread's network namespace: it can blind a capture.</summary>
internal static class EventSetting
{
    private const string Off = "0";

    /// <summary>
    /// True when the kernel sends no events at all (0). 1 means always, 2 (the default of newer kernels) means while a program listens.
    /// </summary>
    public static bool IsOff()
    {
        try
        {
            return File.ReadAllText($"{SettingsLease.SettingsDirectory}/nf_conntrack_events").Trim() == Off;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
