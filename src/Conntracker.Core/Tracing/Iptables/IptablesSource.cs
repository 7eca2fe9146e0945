using Conntracker.Core.Feeds;
using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>A source of TRACE lines of iptables-legacy, and the kernel's logger that is set for it.</summary>
internal sealed class IptablesSource : IDisposable
{
    /// <param name="lines">The lines.</param>
    /// <param name="lease">The logger; null when none was set.</param>
    public IptablesSource(IIptablesLines lines, SettingsLease? lease)
    {
        Lines = lines;
        Lease = lease;
    }

    /// <summary>The lines.</summary>
    public IIptablesLines Lines { get; }

    /// <summary>The logger that is set; null for none.</summary>
    public SettingsLease? Lease { get; }

    /// <summary>Opens NFLOG group 0 or, where that is not available, the kernel's log.</summary>
    /// <param name="networkNamespace">The calling thread's network namespace.</param>
    /// <param name="wakeup">Set when lines came through NFLOG.</param>
    /// <param name="notices">Gets notices for the user.</param>
    /// <returns>Null when neither is available.</returns>
    public static IptablesSource? Open(NetworkNamespaceId networkNamespace, Wakeup wakeup, CaptureNotices notices) => Open(
        () => Open(NflogSockets.Attach(networkNamespace, wakeup), PacketLogger.Nflog, networkNamespace),
        () => Open(new KernelLogLines(), PacketLogger.KernelLog, networkNamespace),
        notices);

    /// <summary>Opens the first source or, where it is not available, the second.</summary>
    /// <param name="openNflog">Opens NFLOG group 0.</param>
    /// <param name="openKernelLog">Opens the kernel's log.</param>
    /// <param name="notices">Gets notices for the user.</param>
    /// <returns>Null when neither is available.</returns>
    public static IptablesSource? Open(Func<IptablesSource> openNflog, Func<IptablesSource> openKernelLog, CaptureNotices notices)
    {
        const string Cause = "nflog";
        const string Failure = "Rules of iptables-legacy are not traced:";
        string reason;
        string cost = "";
        try
        {
            return openNflog();
        }
        catch (ConntrackException error) when (error.Reason == ConntrackErrorReason.PermissionDenied)
        {
            // The kernel's log needs more privileges, not fewer.
            notices.Add(Cause, $"{Failure} {error.Message}");
            return null;
        }
        catch (ConntrackException error)
        {
            reason = error.Message;
            cost = error.Reason == ConntrackErrorReason.NflogBusy ? " The program that uses the group gets no TRACE lines while the capture runs." : "";
        }

        try
        {
            IptablesSource source = openKernelLog();
            notices.Add(
                Cause,
                $"{reason} The kernel log is read instead (/dev/kmsg). It is slower, it has no lines of other network namespaces unless "
                + $"net.netfilter.nf_log_all_netns is 1, and its other readers see the lines as well.{cost}");
            return source;
        }
        catch (ConntrackException error)
        {
            notices.Add(Cause, $"{Failure} {reason} The kernel log cannot be read either: {error.Message}");
            return null;
        }
    }

    /// <summary>Ends the lines, and restores the logger.</summary>
    public void Dispose()
    {
        Lines.Dispose();
        Lease?.Dispose();
    }

    private static IptablesSource Open(IIptablesLines lines, PacketLogger logger, NetworkNamespaceId networkNamespace)
    {
        try
        {
            return new IptablesSource(lines, PacketLoggerLease.Acquire(logger, networkNamespace));
        }
        catch
        {
            // Messages of other programs there do not concern this capture.
            lines.Dispose();
            throw;
        }
    }
}
