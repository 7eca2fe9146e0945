using System.Buffers.Text;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// The kernel's own log, from its end on: traced packets of iptables-legacy are logged here when nf_log_ipv4 and nf_log_ipv6 are the loggers. It
/// replaces NFLOG when another program holds group 0. All network namespaces share one log, and the kernel writes only messages of the initial one to
/// it, unless net.netfilter.nf_log_all_netns is 1.
/// </summary>
internal sealed unsafe class KernelLogSource : IDisposable
{
    private const string Path = "/dev/kmsg";

    // Each read returns one record; the kernel's are never longer.
    private readonly byte[] _record = new byte[8192];
    private readonly SafeFileDescriptor _descriptor;
    private long _lost;
    private ulong? _last;

    /// <summary>Opens the log.</summary>
    /// <exception cref="ConntrackException">No privilege, or the file does not exist.</exception>
    public KernelLogSource()
    {
        int number = SafeLibC.open(Path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
        if (number < 0)
        {
            throw Refused(Errno.Last);
        }

        _descriptor = new SafeFileDescriptor(number);
        if (SafeLibC.lseek(_descriptor, 0, SEEK_END) < 0)
        {
            int errno = Errno.Last;
            _descriptor.Dispose();
            throw Refused(errno);
        }
    }

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => _descriptor.Number;

    /// <summary>Reads the next record, without waiting.</summary>
    /// <param name="record">The record in the format of Documentation/ABI/testing/dev-kmsg; valid until the next call.</param>
    /// <returns>False when there is none at present.</returns>
    /// <exception cref="ConntrackException">The log can no longer be read.</exception>
    public bool TryRead(out ReadOnlySpan<byte> record)
    {
        record = default;
        while (true)
        {
            long length;
            fixed (byte* buffer = _record)
            {
                length = SafeLibC.read(_descriptor, buffer, _record.Length);
            }

            int errno = length < 0 ? Errno.Last : 0;
            if (length > 0)
            {
                record = _record.AsSpan(0, (int)length);
                _lost += Missed(record);
                return true;
            }

            // EPIPE: the next record was overwritten; the next read continues behind it, and its number shows how many are missing.
            if (errno == EPIPE)
            {
                _lost += _last is null ? 1 : 0;
            }
            else if (errno != EINTR)
            {
                return errno == 0 || errno == EAGAIN ? false : throw Refused(errno);
            }
        }
    }

    /// <summary>
    /// How many records of the log were overwritten before they could be read, since the last call. Not all of them need be of traced packets.
    /// </summary>
    public long TakeLost()
    {
        long lost = _lost;
        _lost = 0;
        return lost;
    }

    /// <inheritdoc/>
    public void Dispose() => _descriptor.Dispose();

    // "level,number,…;text": numbers increase by one.
    private long Missed(ReadOnlySpan<byte> record)
    {
        int comma = record.IndexOf((byte)',');
        if (comma < 0 || !Utf8Parser.TryParse(record[(comma + 1)..], out ulong number, out _))
        {
            return 0;
        }

        ulong missed = _last is ulong last && number > last ? number - last - 1 : 0;
        _last = number;
        return (long)missed;
    }

    private static ConntrackException Refused(int errno) => errno switch
    {
        _ when errno == EPERM || errno == EACCES => new ConntrackException(
            ConntrackErrorReason.PermissionDenied,
            $"Could not read the kernel log {Path}: {Errno.Describe(errno)}. The capability CAP_SYSLOG is missing: run as root, or with sudo."),
        _ when errno == ENOENT => new ConntrackException(
            ConntrackErrorReason.KernelFeatureMissing,
            $"Could not read the kernel log {Path}: {Errno.Describe(errno)}. The kernel lacks CONFIG_PRINTK, or a container hides the file."),
        _ => new ConntrackException(ConntrackErrorReason.KernelRefused, $"Could not read the kernel log {Path}: {Errno.Describe(errno)}."),
    };
}
