using System.Text;
using System.Text.Json;
using Conntracker.Core.Policies.TrialProcess;

namespace Conntracker;

/// <summary>
/// The other side of a <see cref="FirewallTrial"/>: what the program <c>conntracker</c> does when it is started for one. It changes the network namespace that
/// it runs in, and is started in a new one.
/// </summary>
public static class FirewallTrialProcess
{
    /// <summary>The program's first argument when it is started for a trial.</summary>
    public const string Command = "trial-process";

    private const int BufferSize = 64 * 1024;

    /// <summary>Serves the trial on standard input and output, until the input ends.</summary>
    /// <returns>The exit code: 0, or 1 when the trial could not be made.</returns>
    public static int Run()
    {
        try
        {
            using StreamReader input = new(Console.OpenStandardInput(), new UTF8Encoding(false), detectEncodingFromByteOrderMarks: false, BufferSize);
            using BufferedStream output = new(Console.OpenStandardOutput(), BufferSize);
            return new TrialServer(input, output).Run() ? 0 : 1;
        }
        catch (Exception error) when (error is IOException or JsonException)
        {
            // The trial's owner has ended.
            return 1;
        }
    }
}
