using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Conntracker.PowerShellHost;

/// <summary>
/// Runs a script in PowerShell's engine where pwsh is not installed: <c>Conntracker.PowerShellHost [--width COLUMNS] SCRIPT [ARGUMENT…]</c>.
/// The engine has PowerShell's core commands, and none of its module Microsoft.PowerShell.Utility.
/// </summary>
internal static class Program
{
    private const int Failed = 1;
    private const int WrongUsage = 2;

    private static int Main(string[] arguments)
    {
        int width = 120;
        ReadOnlySpan<string> rest = arguments;
        if (rest is ["--width", string columns, ..])
        {
            if (!int.TryParse(columns, out width) || width is < 20 or > 10_000)
            {
                return Complain($"--width wants a number from 20 to 10000, not '{columns}'.", WrongUsage);
            }

            rest = rest[2..];
        }

        if (rest is not [string script, ..])
        {
            return Complain("usage: Conntracker.PowerShellHost [--width COLUMNS] SCRIPT [ARGUMENT…]", WrongUsage);
        }

        return File.Exists(script) ? Run(Path.GetFullPath(script), rest[1..].ToArray(), width) : Complain($"There is no script {script}.", WrongUsage);
    }

    private static int Run(string script, string[] arguments, int width)
    {
        // The engine reads it when it is loaded: a demonstration must not send telemetry.
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        TextHost host = new(Console.Out, Console.Error, width);
        using Runspace runspace = RunspaceFactory.CreateRunspace(host, InitialSessionState.CreateDefault2());
        runspace.Open();
        using System.Management.Automation.PowerShell shell = System.Management.Automation.PowerShell.Create(runspace);
        ConsoleCancelEventHandler stop = (_, pressed) =>
        {
            // Ends the script, with its finally blocks, instead of the process.
            pressed.Cancel = true;
            shell.BeginStop(callback: null, state: null);
        };
        Console.CancelKeyPress += stop;
        try
        {
            shell.AddCommand(script);
            foreach (string argument in arguments)
            {
                shell.AddArgument(argument);
            }

            // As with pwsh -File: errors are shown where they happen, and only one that ends the script sets the exit code.
            shell.Commands.Commands[0].MergeMyResults(PipelineResultTypes.Error, PipelineResultTypes.Output);
            shell.AddCommand("Out-Default").Invoke();
            return host.ExitCode ?? 0;
        }
        catch (PipelineStoppedException)
        {
            return 130;
        }
        catch (RuntimeException error)
        {
            return Complain(error.ErrorRecord.ToString(), Failed);
        }
        finally
        {
            Console.CancelKeyPress -= stop;
        }
    }

    private static int Complain(string text, int exitCode)
    {
        Console.Error.WriteLine(text);
        return exitCode;
    }
}
