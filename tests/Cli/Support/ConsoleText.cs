using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary>What is written to the console while it exists.</summary>
internal sealed class ConsoleText : IDisposable
{
    private readonly TextWriter _oldOutput = Console.Out;
    private readonly TextWriter _oldError = Console.Error;
    private readonly StringWriter _output = new();
    private readonly StringWriter _error = new();

    public ConsoleText()
    {
        Console.SetOut(TextWriter.Synchronized(_output));
        Console.SetError(TextWriter.Synchronized(_error));
    }

    /// <summary>Standard output so far.</summary>
    public string Output => _output.ToString();

    /// <summary>Standard error so far.</summary>
    public string Error => _error.ToString();

    /// <summary>The lines of standard error so far; each must have ended.</summary>
    public string[] ErrorLines
    {
        get
        {
            string text = Error;
            Assert.True(text.Length == 0 || text.EndsWith('\n'), text);
            return text.Length == 0 ? [] : text[..^1].Split('\n');
        }
    }

    public void Dispose()
    {
        Console.SetOut(_oldOutput);
        Console.SetError(_oldError);
    }
}
