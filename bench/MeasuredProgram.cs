using System.Diagnostics;
using System.Globalization;

namespace Conntracker.Bench;

/// <summary>
/// Runs another program in a process of the bench's own, that does nothing else, so that the kernel's figures of its children are those of
/// this program. What the program prints goes nowhere; what it says on standard error is kept.
/// </summary>
internal static class MeasuredProgram
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs a program to its end.</summary>
    public static ChildResult Run(string[] command)
    {
        long started = Stopwatch.GetTimestamp();
        using Process process = Start(command);
        string said = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return Result(process, said, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>Runs a program that captures packets, says <c>ready</c> when it does, and interrupts it at the end of standard input.</summary>
    public static ChildResult Watch(string[] command)
    {
        long started = Stopwatch.GetTimestamp();
        using Process process = Start(command);
        Task<string> said = process.StandardError.ReadToEndAsync();
        while (!process.HasExited && !HasPacketSocket(process.Id))
        {
            if (Stopwatch.GetElapsedTime(started) > s_patience)
            {
                process.Kill();
            }

            Thread.Sleep(20);
        }

        if (process.HasExited)
        {
            throw new InvalidOperationException($"{command[0]} captures nothing: {said.Result}");
        }

        // Its socket is bound; what it does before it reads from it is soon done.
        Thread.Sleep(300);
        Console.WriteLine("ready");
        while (Console.In.Read() >= 0)
        {
        }

        ChildProcess.Run("sh", "-c", "kill -INT $0", process.Id.ToString(CultureInfo.InvariantCulture));
        process.WaitForExit();
        return Result(process, said.Result, Stopwatch.GetElapsedTime(started));
    }

    /// <summary>A number in what a program said.</summary>
    /// <param name="result">The program's.</param>
    /// <param name="before">What stands before the number, but for spaces; empty when it is the line's first.</param>
    /// <param name="after">What stands after it.</param>
    public static long ReadNumber(ChildResult result, string before, string after = "")
    {
        foreach (string line in result.Text.Split('\n', StringSplitOptions.TrimEntries))
        {
            if (line.StartsWith(before, StringComparison.Ordinal)
                && line.EndsWith(after, StringComparison.Ordinal)
                && long.TryParse(line.AsSpan(before.Length, line.Length - before.Length - after.Length), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out long number))
            {
                return number;
            }
        }

        throw new InvalidOperationException($"There is no '{before} … {after}' in: {result.Text}");
    }

    private static Process Start(string[] command) => Process.Start(
        new ProcessStartInfo("sh", ["-c", "exec \"$@\" >/dev/null", "sh", .. command]) { RedirectStandardError = true, RedirectStandardInput = true })!;

    private static ChildResult Result(Process process, string said, TimeSpan took) => process.ExitCode == 0
        ? new ChildResult { Seconds = took.TotalSeconds, CpuSeconds = ChildrensSeconds(), Text = said }
        : throw new InvalidOperationException($"{process.ExitCode}: {said}");

    // cutime and cstime of proc_pid_stat(5), in hundredths of a second. The name may have spaces and brackets in it.
    private static double ChildrensSeconds()
    {
        string stat = File.ReadAllText("/proc/self/stat");
        string[] fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (double.Parse(fields[13], CultureInfo.InvariantCulture) + double.Parse(fields[14], CultureInfo.InvariantCulture)) / 100;
    }

    // It has one that runs, and that is bound to an interface. /proc/net/packet: sk RefCnt Type Proto Iface R Rmem User Inode.
    private static bool HasPacketSocket(int process)
    {
        HashSet<string?> held = [.. Directory.GetFiles($"/proc/{process}/fd").Select(each => new FileInfo(each).LinkTarget)];
        return File.ReadLines("/proc/net/packet").Skip(1)
            .Select(each => each.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Any(each => each[4] != "0" && each[5] == "1" && held.Contains($"socket:[{each[8]}]"));
    }
}
