namespace Conntracker.Cli;

/// <summary>What the program says to the shell.</summary>
internal static class ExitCode
{
    /// <summary>All is well.</summary>
    public const int Success = 0;

    /// <summary>It could not do what was asked; one line on standard error says why.</summary>
    public const int Failed = 1;

    /// <summary>It was asked wrongly.</summary>
    public const int Usage = 2;
}
