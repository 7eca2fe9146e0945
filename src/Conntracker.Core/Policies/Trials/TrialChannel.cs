using System.ComponentModel;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Policies.Trials;

/// <summary>
/// The process of a trial, in namespaces of its own, and the lines to it and from it. It ends when its input ends, so also when this process is killed.
/// </summary>
internal sealed class TrialChannel : IDisposable
{
    private const int MaximumErrorText = 4096;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Process _process;
    private readonly Task<string> _error;

    private TrialChannel(Process process)
    {
        _process = process;
        _error = ReadErrorAsync(process.StandardError);
    }

    /// <summary>Lines to the process.</summary>
    public StreamWriter Input => _process.StandardInput;

    /// <summary>Lines from the process.</summary>
    public StreamReader Output => _process.StandardOutput;

    /// <summary>Starts the process.</summary>
    /// <param name="program">The path of the program conntracker; null to find it.</param>
    /// <exception cref="ConntrackException">The program, or unshare(1), is missing or could not be started.</exception>
    public static TrialChannel Start(string? program)
    {
        string unshare = ChildProgram.Find("unshare") ?? throw new ConntrackException(
            ConntrackErrorReason.ProgramMissing, "The program unshare is missing: install the package util-linux (sudo apt-get install util-linux).");

        // A user who is not root may have network namespaces too, in a user namespace.
        string[] user = Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];
        ProcessStartInfo start = new(unshare, [.. user, "--net", "--mount", "--", program ?? Find(), FirewallTrialProcess.Command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
            StandardErrorEncoding = Encoding.UTF8,
        };
        try
        {
            return new TrialChannel(Process.Start(start)!);
        }
        catch (Win32Exception error)
        {
            string text = $"The trial could not be started: {unshare} could not be run: {error.Message}.";
            throw new ConntrackException(ConntrackErrorReason.TrialFailed, text, error);
        }
    }

    /// <summary>Why the process has ended, for an error.</summary>
    public ConntrackException Ended()
    {
        string text = _process.WaitForExit(s_patience) ? $"ended with {_process.ExitCode}" : "does not answer";
        string error = _error.Wait(s_patience) ? _error.Result.Trim() : "";
        string hint = error.Contains("unshare", StringComparison.Ordinal)
            ? " A trial requires root, or a system that permits user namespaces."
            : "";
        return new ConntrackException(ConntrackErrorReason.TrialFailed, $"The process of the trial {text}{(error.Length == 0 ? "." : $": {error}")}{hint}");
    }

    /// <summary>Ends the process.</summary>
    public void Dispose()
    {
        try
        {
            _process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It has ended before it read everything.
        }

        if (!_process.WaitForExit(s_patience))
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    // The program itself, the one in the module's directory, or the system's.
    private static string Find()
    {
        const string Name = "conntracker";
        string? own = Path.GetFileName(Environment.ProcessPath) == Name ? Environment.ProcessPath : null;
        string beside = Path.Combine(AppContext.BaseDirectory, Name);
        string engine = ModuleDirectory() is string directory ? Path.Combine(directory, Name) : beside;
        return own ?? (File.Exists(engine) ? engine : File.Exists(beside) ? beside : ChildProgram.Find(Name)) ?? throw new ConntrackException(
            ConntrackErrorReason.ProgramMissing,
            $"The program {Name} is missing: it belongs into the directory of the module ({Path.GetDirectoryName(engine)}), or on PATH.");
    }

    [UnconditionalSuppressMessage("SingleFile", "IL3000", Justification = "The native program has no file of the engine: it is the program itself.")]
    private static string? ModuleDirectory() => typeof(TrialChannel).Assembly.Location is { Length: > 0 } path ? Path.GetDirectoryName(path) : null;

    private static async Task<string> ReadErrorAsync(StreamReader reader)
    {
        char[] buffer = new char[MaximumErrorText];
        StringBuilder text = new();
        while (await reader.ReadAsync(buffer).ConfigureAwait(false) is > 0 and int count)
        {
            text.Append(buffer, 0, Math.Min(count, Math.Max(0, MaximumErrorText - text.Length)));
        }

        return text.ToString();
    }
}
