using System.Globalization;
using System.Text;

namespace Conntracker.Core.Processes;

/// <summary>Reads the files below /proc/PID.</summary>
internal static class ProcessText
{
    private const uint Unset = uint.MaxValue;

    // The header of a string, its length, its terminator, and the padding to a multiple of eight.
    private const int StringOverhead = 28;

    /// <summary>How many bytes of memory texts take.</summary>
    public static long MemoryOf(params ReadOnlySpan<string?> texts)
    {
        long size = 0;
        foreach (string? text in texts)
        {
            size += text is null ? 0 : StringOverhead + ((long)text.Length * sizeof(char));
        }

        return size;
    }

    /// <summary>A name as the kernel stores it: up to the first zero byte, or the end of the line.</summary>
    public static string Name(ReadOnlySpan<byte> comm)
    {
        int end = comm.IndexOf((byte)0);
        return Encoding.UTF8.GetString(end < 0 ? comm : comm[..end]);
    }

    /// <summary>The content of <c>comm</c>: the name and a line end. A name may hold line ends of its own.</summary>
    public static string? NameLine(ReadOnlySpan<byte> file) => file.IsEmpty ? null : Name(file[^1] == (byte)'\n' ? file[..^1] : file);

    /// <summary>
    /// The content of <c>cmdline</c>: arguments, each followed by a zero byte. Null for none: a kernel thread, or a process that has ended.
    /// </summary>
    public static string? CommandLine(ReadOnlySpan<byte> file)
    {
        ReadOnlySpan<byte> arguments = file.TrimEnd((byte)0);
        return arguments.IsEmpty ? null : Encoding.UTF8.GetString(arguments).Replace('\0', ' ');
    }

    /// <summary>The target of the link <c>exe</c>; null when it is not known.</summary>
    public static string? Path(ReadOnlySpan<byte> link) => link.IsEmpty ? null : Encoding.UTF8.GetString(link);

    /// <summary>The real user in the content of <c>status</c>: the first of the line <c>Uid:</c>. Null when there is none.</summary>
    public static uint? RealUser(ReadOnlySpan<byte> file)
    {
        // A name cannot hold such a line: the kernel writes its line ends as \n.
        ReadOnlySpan<byte> key = "\nUid:\t"u8;
        int at = file.IndexOf(key);
        ReadOnlySpan<byte> users = at < 0 ? default : file[(at + key.Length)..];
        int end = users.IndexOf((byte)'\t');
        return end > 0 && uint.TryParse(users[..end], NumberStyles.None, CultureInfo.InvariantCulture, out uint user) ? user : null;
    }

    /// <summary>The content of <c>loginuid</c>: the user who logged in; null for none.</summary>
    public static uint? LoginUser(ReadOnlySpan<byte> file) =>
        uint.TryParse(file.TrimEnd((byte)'\n'), NumberStyles.None, CultureInfo.InvariantCulture, out uint user) && user != Unset ? user : null;
}
