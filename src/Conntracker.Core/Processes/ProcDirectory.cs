using System.Globalization;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>
/// A process's folder below /proc. Opened once, it stands for this very process: when that has ended, reading gives nothing, also when
/// the number is used again. The buffer is shared: what a call gave is valid until the next one.
/// </summary>
internal sealed unsafe class ProcDirectory
{
    /// <summary>Longer command lines are cut off there; Linux itself allows two megabytes.</summary>
    public const int LongestFile = 32 * 1024;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(LongestFile);
    private SafeFileDescriptor? _folder;

    /// <summary>Opens the folder of a process; false when there is none.</summary>
    public bool TryOpen(int process)
    {
        Close();
        int number = SafeLibC.open(
            string.Create(CultureInfo.InvariantCulture, $"/proc/{process}"),
            O_RDONLY | O_CLOEXEC | O_DIRECTORY);
        _folder = number < 0 ? null : new SafeFileDescriptor(number);
        return _folder is not null;
    }

    /// <summary>A file's content; empty when it cannot be read.</summary>
    public ReadOnlySpan<byte> Read(string name)
    {
        using SafeFileDescriptor file = new(SafeLibC.openat(_folder!, name, O_RDONLY | O_CLOEXEC, default));
        int length = 0;
        fixed (byte* buffer = _buffer)
        {
            while (!file.IsInvalid && length < LongestFile)
            {
                int read = (int)SafeLibC.read(file, buffer + length, LongestFile - length);
                if (read <= 0)
                {
                    break;
                }

                length += read;
            }
        }

        return _buffer.AsSpan(0, length);
    }

    /// <summary>Where a link points to; empty when it cannot be read.</summary>
    public ReadOnlySpan<byte> ReadLink(string name)
    {
        fixed (byte* buffer = _buffer)
        {
            int length = (int)SafeLibC.readlinkat(_folder!, name, buffer, LongestFile);
            return _buffer.AsSpan(0, Math.Max(0, length));
        }
    }

    /// <summary>Closes it.</summary>
    public void Close()
    {
        _folder?.Dispose();
        _folder = null;
    }
}
