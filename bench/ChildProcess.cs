using System.Diagnostics;
using System.Text.Json;

namespace Conntracker.Bench;

/// <summary>Starts the bench again as a child in a network namespace, and takes what it measured.</summary>
internal static class ChildProcess
{
    /// <summary>Starts a program in a namespace.</summary>
    public static Process StartIn(string networkNamespace, string program, params string[] arguments) =>
        Start("ip", ["netns", "exec", networkNamespace, program, .. arguments]);

    /// <summary>Starts a program.</summary>
    public static Process Start(string program, params string[] arguments) => Process.Start(
        new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    /// <summary>Waits until a child says that it is ready.</summary>
    public static void WaitForReady(Process process)
    {
        if (process.StandardOutput.ReadLine() != "ready")
        {
            throw new InvalidOperationException($"A child did not start: {process.StandardError.ReadToEnd()}");
        }
    }

    /// <summary>Waits for a child's end, and takes its result.</summary>
    public static ChildResult ReadResult(Process process)
    {
        string output = process.StandardOutput.ReadToEnd();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? JsonSerializer.Deserialize(output, BenchJson.Default.ChildResult)!
            : throw new InvalidOperationException($"A child failed: {error}");
    }

    /// <summary>Runs a program to its end.</summary>
    public static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: {error}");
        }
    }
}
