using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>A program like nft that says when it was started, and lists nothing before it may.</summary>
internal sealed class SlowNft : IDisposable
{
    private readonly TempDirectory _folder = new();

    /// <summary>Makes it.</summary>
    public SlowNft()
    {
        System.IO.File.WriteAllText(Program, $"""
            #!/bin/sh
            echo $$ >> {Started}
            while [ -e {Waits} ]; do sleep 0.02; done
            exec {ChildProgram.Find("nft")} "$@"

            """);
        System.IO.File.SetUnixFileMode(Program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        System.IO.File.WriteAllText(Waits, "");
    }

    /// <summary>Its path.</summary>
    public string Program => _folder.File("nft");

    private string Started => _folder.File("started");

    private string Waits => _folder.File("waits");

    /// <summary>Waits until it runs.</summary>
    public void WaitUntilStarted() => Eventually.True("that the ruleset is read", () => System.IO.File.Exists(Started));

    /// <summary>The ruleset has not been listed yet.</summary>
    public void AssertReading()
    {
        Assert.True(System.IO.File.Exists(Waits));
        Assert.NotEmpty(Running());
    }

    /// <summary>Waits until none of it is left.</summary>
    public void WaitUntilGone() => Eventually.Equal(() => "", () => string.Join(' ', Running()));

    /// <summary>Lets it list the ruleset.</summary>
    public void Release() => System.IO.File.Delete(Waits);

    /// <inheritdoc/>
    public void Dispose()
    {
        Release();
        _folder.Dispose();
    }

    private string[] Running() => [.. System.IO.File.ReadAllLines(Started).Where(each => Directory.Exists($"/proc/{each}"))];
}
