using System.Globalization;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>
/// A process's directory below /proc. Once opened, it refers to this very process: after that has ended, reads return nothing, even when the id is
/// used again. The buffer is shared: a result is valid until the next call.
/// </summary>
internal sealed unsafe class ProcDirectory
{
    /// <summary>Longer command lines are truncated here; Linux itself allows two megabytes.</summary>
    public const int LongestFile = 32 * 1024;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(LongestFile);
    private SafeFileDescriptor? _folder;

    /// <summary>Opens the directory of a process; false when there is none.</summary>
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

    /// <summary>The target of a link; empty when it cannot be read.</summary>
    public ReadOnlySpan<byte> ReadLink(string name)
    {
        fixed (byte* buffer = _buffer)
        {
            int length = (int)SafeLibC.readlinkat(_folder!, name, buffer, LongestFile);
            return _buffer.AsSpan(0, Math.Max(0, length));
        }
    }

    /// <summary>Closes the directory.</summary>
    public void Close()
    {
        _folder?.Dispose();
        _folder = null;
    }
}
