using System.CommandLine;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary>Command lines, without running what they request.</summary>
internal static class TestCommandLine
{
    /// <summary>What a valid command line requests; fails when it has errors.</summary>
    public static RunOptions Read(params string[] arguments)
    {
        CommandLineOptions options = new();
        ParseResult parsed = options.Parse(arguments);
        Assert.Empty(parsed.Errors.Select(error => error.Message));
        return options.Bind(parsed);
    }
}
