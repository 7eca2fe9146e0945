using System.CommandLine;
using System.CommandLine.Parsing;

namespace Conntracker.Cli;

/// <summary>The program from its arguments to its exit code.</summary>
internal static class CommandLine
{
    /// <summary>Does what the arguments request. Whatever goes wrong is one line on standard error for each error.</summary>
    /// <param name="args">The arguments, without the program's name.</param>
    /// <returns>The exit code: see <see cref="ExitCode"/>.</returns>
    public static int Invoke(string[] args)
    {
        try
        {
            if (args is [FirewallTrialProcess.Command])
            {
                // Started by a trial, in namespaces of its own; not for users.
                return FirewallTrialProcess.Run();
            }

            ParseResult parsed = new CommandLineOptions().Parse(args);
            if (parsed.Errors.Count == 0)
            {
                // Help and version have actions of their own. Exceptions are handled below: the library's handler would print a stack trace.
                return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
            }

            foreach (ParseError error in parsed.Errors)
            {
                Messages.Error(error.Message);
            }

            string command = parsed.CommandResult.Command is RootCommand ? "" : $"{parsed.CommandResult.Command.Name} ";
            Messages.Error($"'conntracker {command}--help' shows the options.");
            return ExitCode.Usage;
        }
        catch (Exception error)
        {
            Messages.Error(ErrorText.Of(error));
            return ExitCode.Failed;
        }
    }
}
