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

    /// <summary>'conntracker try': the ruleset changes the verdict on a flow.</summary>
    public const int Changed = 3;

    /// <summary>'conntracker try': the verdict on a flow is unknown, and no other verdict changes.</summary>
    public const int Unknown = 4;
}
