using System.Globalization;

namespace Conntracker.Core.Processes;

/// <summary>
/// What distinguishes a process, while it runs one program, from another with the same id: from /proc/PID/stat. An id is reused, a start time is not;
/// an exec keeps the start time, but not the stack.
/// </summary>
/// <param name="Start">When it began: clock ticks (<see cref="TicksPerSecond"/>) since boot, with the time that the host was suspended.</param>
/// <param name="Stack">The start of its stack; 0 without permission to inspect the process (ptrace(2)), and for kernel threads.</param>
internal readonly record struct ProcessStat(ulong Start, ulong Stack)
{
    /// <summary>USER_HZ, which is the same on every architecture that .NET runs on.</summary>
    public const int TicksPerSecond = 100;

    // Fields 22 and 28; the first one behind the name is field 3.
    private const int StartField = 22 - 3;
    private const int StackField = 28 - 3;

    /// <summary>Reads the content of /proc/PID/stat; false for a process that has ended, and for other content.</summary>
    public static bool TryParse(ReadOnlySpan<byte> file, out ProcessStat stat)
    {
        stat = default;

        // The name, in parentheses, may hold any character.
        int name = file.LastIndexOf(") "u8);
        if (name < 0)
        {
            return false;
        }

        ReadOnlySpan<byte> fields = file[(name + 2)..];
        ulong start = 0;
        ulong stack = 0;
        bool hasStart = false;
        bool hasStack = false;
        int number = 0;
        foreach (Range field in fields.Split((byte)' '))
        {
            if (number == StartField)
            {
                hasStart = ulong.TryParse(fields[field], NumberStyles.None, CultureInfo.InvariantCulture, out start);
            }
            else if (number == StackField)
            {
                hasStack = ulong.TryParse(fields[field], NumberStyles.None, CultureInfo.InvariantCulture, out stack);
                break;
            }

            number++;
        }

        stat = new ProcessStat(start, stack);
        return hasStart && hasStack;
    }
}
