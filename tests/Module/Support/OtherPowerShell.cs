using Conntracker.PowerShellHost;

namespace Conntracker.Tests.Module.Support;

/// <summary>A PowerShell in a process of its own, that has the module: to end it, to kill it, or to take its privileges away.</summary>
internal static class OtherPowerShell
{
    private static readonly string s_host = Path.ChangeExtension(typeof(TextHost).Assembly.Location, ".dll");

    /// <summary>Runs a script to its end.</summary>
    public static ToolResult Run(string script) => Run([], script);

    /// <summary>Runs a script to its end as a user who has no capability, and so may do nothing that root may.</summary>
    public static ToolResult RunUnprivileged(string script) =>
        Run(Environment.IsPrivilegedProcess ? ["setpriv", "--inh-caps=-all", "--bounding-set=-all", "--no-new-privs"] : [], script);

    /// <summary>Runs a script to its end below another command, which gets the host's command line as its arguments.</summary>
    public static ToolResult Run(string[] below, string script)
    {
        using TempDirectory folder = new();
        using Tool tool = Start(folder, below, script);
        return tool.Wait(TimeSpan.FromSeconds(60));
    }

    /// <summary>Starts a script.</summary>
    /// <param name="folder">Where the script is kept, until it has ended.</param>
    /// <param name="below">The command that it runs below; none for its own.</param>
    /// <param name="script">The script.</param>
    public static Tool Start(TempDirectory folder, string[] below, string script)
    {
        string file = folder.File("script.ps1");
        File.WriteAllText(file, $"$ErrorActionPreference = 'Stop'\nImport-Module '{Repository.Module}'\n{script}\n");
        string[] command = [.. below, "dotnet", s_host, file];
        return Tool.Start(command[0], command[1..]);
    }
}
