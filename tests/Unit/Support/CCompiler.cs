using System.Diagnostics;

namespace Conntracker.Tests.Unit;

/// <summary>The host's C compiler, asked whether a program is right.</summary>
internal sealed class CCompiler : IDisposable
{
    private readonly TempDirectory _folder = new();

    /// <summary>Checks a program without making anything of it.</summary>
    /// <param name="program">The program's text.</param>
    /// <param name="message">What the compiler says; why there is none.</param>
    public bool Accepts(string program, out string message)
    {
        string source = _folder.File("proof.c");
        File.WriteAllText(source, program);
        try
        {
            ProcessStartInfo start = new("cc") { RedirectStandardError = true, Environment = { ["LC_ALL"] = "C" } };
            Array.ForEach(["-std=gnu11", "-fsyntax-only", source], start.ArgumentList.Add);
            using Process compiler = Process.Start(start)!;
            message = compiler.StandardError.ReadToEnd();
            compiler.WaitForExit();
            return compiler.ExitCode == 0;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            message = error.Message;
            return false;
        }
    }

    /// <summary>Why a program with these headers cannot be checked here; null when it can.</summary>
    public string? WhyNot(IEnumerable<string> headers) =>
        headers.FirstOrDefault(each => !Accepts($"#include <{each}>\n", out _)) is not string missing ? null
            : Accepts("int conntracker;\n", out string error) ? $"there is no header {missing}"
            : $"there is no C compiler (cc): {error}";

    public void Dispose() => _folder.Dispose();
}
