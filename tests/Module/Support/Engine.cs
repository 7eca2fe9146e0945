using System.Collections.ObjectModel;
using System.Globalization;
using System.Management.Automation;
using System.Management.Automation.Runspaces;
using Conntracker.PowerShellHost;
using Xunit;
using Shell = System.Management.Automation.PowerShell;

namespace Conntracker.Tests.Module.Support;

/// <summary>
/// A PowerShell of the test's own, with the built module in it. Its scripts know $fixtures, the folder of recordings, and $office and
/// $firewall, two of them.
/// </summary>
internal sealed class Engine : IDisposable
{
    private readonly StringWriter _text = new(CultureInfo.InvariantCulture);
    private readonly Runspace _runspace;

    /// <summary>Opens it and imports the module.</summary>
    /// <param name="width">How many columns its host's lines have.</param>
    public Engine(int width = 120)
    {
        Environment.SetEnvironmentVariable("POWERSHELL_TELEMETRY_OPTOUT", "1");
        _runspace = RunspaceFactory.CreateRunspace(new TextHost(_text, _text, width), InitialSessionState.CreateDefault2());
        _runspace.Open();
        Set("module", Repository.Module);
        Set("fixtures", Repository.Fixtures);
        Set("office", Path.Join(Repository.Fixtures, "office.ctrec"));
        Set("firewall", Path.Join(Repository.Fixtures, "firewall.ctrec"));
        Lines("Import-Module $module");
    }

    /// <summary>Gives scripts a variable.</summary>
    public void Set(string name, object? value) => _runspace.SessionStateProxy.SetVariable(name, value);

    /// <summary>Runs a script to its end, whatever that is.</summary>
    public Answer Run(string script)
    {
        using Shell shell = Open(script);
        Collection<PSObject> output = [];
        List<ErrorRecord> errors = [];
        _text.GetStringBuilder().Clear();
        try
        {
            shell.Invoke(input: null, output);
        }
        catch (RuntimeException error)
        {
            errors.Add(error.ErrorRecord);
        }

        return new Answer(output, [.. shell.Streams.Error, .. errors], [.. shell.Streams.Warning.Select(each => each.Message)], _text.ToString());
    }

    /// <summary>Runs a script that must write no error, and gives its objects.</summary>
    public IReadOnlyList<PSObject> Objects(string script)
    {
        Answer answer = Run(script);
        Assert.True(answer.Errors.Count == 0, $"{script}\n{string.Join('\n', answer.Errors)}");
        return answer.Output;
    }

    /// <summary>Runs a script that must write no error, and gives its objects as text.</summary>
    public string[] Lines(string script) => [.. Objects(script).Select(each => each?.ToString() ?? "")];

    /// <summary>Runs a script that must write no error and emit one object, and gives it as text.</summary>
    public string Line(string script) => Assert.Single(Lines(script));

    /// <summary>Runs a script that must give one error, and no more.</summary>
    public ErrorRecord Fail(string script)
    {
        Answer answer = Run(script);
        return answer.Errors.Count == 1 ? answer.Errors[0]
            : throw new InvalidOperationException($"One error was expected of: {script}\nThere were {answer.Errors.Count}. {string.Join('\n', answer.Errors)}");
    }

    /// <summary>Runs a script that must give one error with this id and category, as a user's script would compare them.</summary>
    public ErrorRecord Fail(string script, string id, ErrorCategory category)
    {
        ErrorRecord error = Fail(script);
        Assert.Equal((id, category), (Answer.IdOf(error), error.CategoryInfo.Category));
        return error;
    }

    /// <summary>What a user sees of what a script emits: the lines that are not empty, without the blanks at their ends.</summary>
    public string[] Show(string script)
    {
        Answer answer = Run($"& {{ {script} }} | Out-Default");
        Assert.True(answer.Errors.Count == 0, string.Join('\n', answer.Errors));
        return [.. answer.Text.Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];
    }

    /// <summary>What Tab offers at the end of a line.</summary>
    public string[] Complete(string line)
    {
        using Shell shell = Shell.Create(_runspace);
        return [.. CommandCompletion.CompleteInput(line, line.Length, options: null, shell).CompletionMatches.Select(match => match.CompletionText)];
    }

    /// <summary>Starts a script and does not wait for its end. Only one can run in an engine.</summary>
    public RunningScript Start(string script) => new(Open(script));

    /// <summary>Removes every capture, and closes it.</summary>
    public void Dispose()
    {
        Run("if (Get-Module Conntracker) { Remove-ConntrackCapture * }");
        _runspace.Dispose();
    }

    private Shell Open(string script)
    {
        Shell shell = Shell.Create(_runspace);
        shell.AddScript(script);
        return shell;
    }
}
