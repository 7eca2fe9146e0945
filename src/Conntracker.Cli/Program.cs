using System.CommandLine;
using Conntracker.Cli;

CommandLineOptions options = new();
ParseResult parsed = options.Parse(args);
if (parsed.Errors.Count > 0)
{
    foreach (System.CommandLine.Parsing.ParseError error in parsed.Errors)
    {
        Messages.Error(error.Message);
    }

    Messages.Error("'conntracker --help' shows the options.");
    return ExitCode.Usage;
}

// Help and version have actions of their own.
return parsed.Invoke();
