using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What a capture runs as root is the system's program, whatever the environment of whoever started it says.</summary>
public sealed class ChildEnvironmentTests : IDisposable
{
    private const string Variable = "XTABLES_LIBDIR";

    private readonly string? _path = Environment.GetEnvironmentVariable("PATH");
    private readonly TempDirectory _folder = new();

    public void Dispose()
    {
        Environment.SetEnvironmentVariable("PATH", _path);
        Environment.SetEnvironmentVariable(Variable, null);
        _folder.Dispose();
    }

    [Fact]
    public void A_program_of_the_same_name_in_the_search_path_is_not_what_root_runs()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Needs root: others run what their search path says.");
        File.WriteAllText(_folder.File("env"), "#!/bin/sh\n");
        Environment.SetEnvironmentVariable("PATH", $"{_folder.Path}:{_path}");

        Assert.Contains(ChildProgram.Find("env"), (string[])["/usr/bin/env", "/bin/env"]);
    }

    [Fact]
    public void A_program_that_only_the_search_path_has_is_found()
    {
        File.WriteAllText(_folder.File("conntracker-test-program"), "#!/bin/sh\n");
        Environment.SetEnvironmentVariable("PATH", $"{_folder.Path}:{_path}");

        Assert.Equal(_folder.File("conntracker-test-program"), ChildProgram.Find("conntracker-test-program"));
        Assert.Null(ChildProgram.Find("conntracker-test-no-program"));
    }

    [Fact]
    public void A_program_inherits_no_variable_that_could_change_what_it_runs_or_prints()
    {
        Environment.SetEnvironmentVariable(Variable, _folder.Path);

        string[] variables = ChildProgram.Run(ChildProgram.Find("env")!).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.Equal(["LC_ALL=C", "PATH=/usr/sbin:/sbin:/usr/bin:/bin"], variables.Order(StringComparer.Ordinal));
    }
}
