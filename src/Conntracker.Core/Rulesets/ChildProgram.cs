using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace Conntracker.Core.Rulesets;

/// <summary>Runs a program of the system and returns its output, with a limit on its time and on its size.</summary>
internal static class ChildProgram
{
    private const int MaximumOutput = 256 * 1024 * 1024;
    private static readonly TimeSpan s_usualPatience = TimeSpan.FromSeconds(30);
    private static readonly string[] s_folders = ["/usr/sbin", "/sbin", "/usr/bin", "/bin"];

    /// <summary>
    /// The path of a program. Root searches the system's directories first: PATH may be that of the user who called sudo or su. Other users search
    /// PATH first, and then the directories of root's programs, which it may lack.
    /// </summary>
    /// <returns>Null when it is not installed.</returns>
    public static string? Find(string name)
    {
        string[] path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        string[] folders = Environment.IsPrivilegedProcess ? [.. s_folders, .. path] : [.. path, .. s_folders];
        return folders.Where(Path.IsPathRooted).Select(folder => Path.Join(folder, name)).FirstOrDefault(File.Exists);
    }

    /// <summary>Runs a program to its end, for half a minute at most.</summary>
    /// <inheritdoc cref="Run(string, IEnumerable{string}, TimeSpan, CancellationToken)"/>
    public static string Run(string program, params IEnumerable<string> arguments) => Run(program, arguments, s_usualPatience, CancellationToken.None);

    /// <summary>
    /// Runs a program to its end, as a child of the calling thread and in its network namespace. It inherits no environment: variables such as
    /// XTABLES_LIBDIR and LD_PRELOAD choose which code runs, and the language changes the output.
    /// </summary>
    /// <param name="program">Its path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="patience">The time after which it is killed.</param>
    /// <param name="cancellation">Kills it.</param>
    /// <returns>Its standard output.</returns>
    /// <exception cref="ConntrackException"> It could not be started or failed; did not end (the inner exception is a <see cref="TimeoutException"/>) or
    /// printed too much (an <see cref="InvalidDataException"/>).
    /// </exception>
    /// <exception cref="OperationCanceledException">It was killed by <paramref name="cancellation"/>.</exception>
    public static string Run(string program, IEnumerable<string> arguments, TimeSpan patience, CancellationToken cancellation) =>
        Run(program, arguments, input: "", environment: [], patience, cancellation);

    /// <inheritdoc cref="Run(string, IEnumerable{string}, TimeSpan, CancellationToken)"/>
    /// <param name="input">Its standard input.</param>
    /// <param name="environment">Variables that it gets besides the usual ones.</param>
#pragma warning disable CS1573 // The others are those of the overload.
    public static string Run(
        string program,
        IEnumerable<string> arguments,
        string input,
        IEnumerable<(string Name, string Value)> environment,
        TimeSpan patience,
        CancellationToken cancellation)
#pragma warning restore CS1573
    {
        try
        {
            ProcessStartInfo start = new(program, arguments)
            {
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
                RedirectStandardError = true,
                StandardOutputEncoding = Encoding.UTF8,
                StandardErrorEncoding = Encoding.UTF8,
            };
            start.Environment.Clear();
            start.Environment["PATH"] = string.Join(':', s_folders);
            start.Environment["LC_ALL"] = "C";
            foreach ((string name, string value) in environment)
            {
                start.Environment[name] = value;
            }

            cancellation.ThrowIfCancellationRequested();
            using Process process = Process.Start(start)!;
            using CancellationTokenSource deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            deadline.CancelAfter(patience);
            using CancellationTokenRegistration killing = deadline.Token.Register(process.Kill);
            Task<string> error = process.StandardError.ReadToEndAsync(CancellationToken.None);
            Task writing = WriteAsync(process.StandardInput, input);
            string? output = ReadToEnd(process.StandardOutput);
            if (output is null)
            {
                process.Kill();
            }

            process.WaitForExit();
            writing.Wait(CancellationToken.None);
            cancellation.ThrowIfCancellationRequested();
            return deadline.IsCancellationRequested
                ? throw Failed(program, $"did not end within {patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s", new TimeoutException())
                : output is null ? throw Failed(program, "printed more than 256 Mi characters", new InvalidDataException())
                : process.ExitCode != 0 ? throw Failed(program, $"ended with {process.ExitCode}: {error.Result.Trim()}")
                : output;
        }
        catch (Exception failure) when (failure is Win32Exception or IOException)
        {
            throw Failed(program, $"could not be run: {failure.Message}", failure);
        }
    }

    // A program that ends early, with an error of its own, does not read all of its input.
    private static async Task WriteAsync(StreamWriter writer, string input)
    {
        try
        {
            await writer.WriteAsync(input).ConfigureAwait(false);
            writer.Close();
        }
        catch (IOException)
        {
        }
    }

    private static string? ReadToEnd(StreamReader reader)
    {
        StringBuilder text = new();
        char[] buffer = new char[16 * 1024];
        while (reader.Read(buffer) is > 0 and int count)
        {
            if (text.Append(buffer, 0, count).Length > MaximumOutput)
            {
                return null;
            }
        }

        return text.ToString();
    }

    private static ConntrackException Failed(string program, string how, Exception? cause = null) =>
        new(ConntrackErrorReason.KernelRefused, $"{program} {how}.", cause);
}
