using System.Runtime.InteropServices;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>The program as one file, on a host where .NET was never installed.</summary>
public sealed class NativeProgramTests
{
    private static readonly string s_dotnet = Path.GetFullPath(Path.Join(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", ".."));

    [Fact]
    public void It_runs_alone_where_there_is_no_NET()
    {
        TestNamespace.NeedRoot();
        Assert.SkipWhen(new FileInfo(CommandLine.Program).LinkTarget is not null,
            "This build made no native program: it has no linker or no compiler package.");
        using CommandLine program = new();
        string alone = program.PathOf("conntracker");
        File.Copy(CommandLine.Program, alone);

        ToolResult version = WithoutDotnet(alone, "--version");
        Assert.True(version.ExitCode == 0 && version.Output.Trim().Length > 0, version.Error);

        string recording = Path.Join(CommandLine.Root(), "tests", "Shared", "Fixtures", "office.ctrec");
        ToolResult log = WithoutDotnet(alone, "--replay", recording, "-o", "-");
        Assert.True(log.ExitCode == 0, log.Error);
        Assert.Equal(CommandLine.Run("--replay", recording, "-o", "-").Output, log.Output);
    }

    // In a mount namespace of its own, with an empty file system over the folder that .NET is in.
    private static ToolResult WithoutDotnet(params string[] command) =>
        Tool.Try("unshare", ["--mount", "sh", "-c", $"mount -t tmpfs none '{s_dotnet}' && ! ls '{s_dotnet}'/* 2>/dev/null && exec \"$@\"", "sh", .. command]);
}
