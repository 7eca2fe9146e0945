namespace Conntracker.Cli;

/// <summary>The program's exit codes.</summary>
internal static class ExitCode
{
    /// <summary>The run succeeded.</summary>
    public const int Success = 0;

    /// <summary>The run failed; one line on standard error says why.</summary>
    public const int Failed = 1;

    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;
}
