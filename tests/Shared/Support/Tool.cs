using System.Diagnostics;
using System.Globalization;
using System.Text;
using Xunit;

namespace Conntracker.Tests;

/// <summary>What a command said and how it ended.</summary>
/// <param name="ExitCode">Its exit code; 128 and the signal when one ended it.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
internal sealed record ToolResult(int ExitCode, string Output, string Error)
{
    /// <summary>The lines of the output that are not empty.</summary>
    public string[] Lines => Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
}

/// <summary>A command that runs: independent tools to compare with, and Conntracker's own program.</summary>
internal sealed class Tool : IDisposable
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);

    private static readonly Dictionary<string, string> s_packages = new()
    {
        ["conntrack"] = "conntrack",
        ["nft"] = "nftables",
        ["ip"] = "iproute2",
        ["iptables-legacy"] = "iptables",
        ["iptables-legacy-restore"] = "iptables",
        ["iptables-legacy-save"] = "iptables",
        ["iptables-nft"] = "iptables",
        ["ip6tables-legacy"] = "iptables",
        ["ip6tables-legacy-restore"] = "iptables",
        ["ip6tables-legacy-save"] = "iptables",
        ["ip6tables-nft"] = "iptables",
        ["setpriv"] = "util-linux",
        ["nsenter"] = "util-linux",
    };

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly StringBuilder _error = new();
    private bool _isDisposed;

    private Tool(Process process)
    {
        _process = process;
        process.OutputDataReceived += (_, line) => Append(_output, line.Data);
        process.ErrorDataReceived += (_, line) => Append(_error, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Its process id.</summary>
    public int Id => _process.Id;

    /// <summary>Whether it runs.</summary>
    public bool IsRunning => !_process.HasExited;

    /// <summary>What it has written to standard output so far.</summary>
    public string Output => Read(_output);

    /// <summary>What it has written to standard error so far.</summary>
    public string Error => Read(_error);

    /// <summary>Where a command is; skips the test when it is not installed.</summary>
    public static string Need(string command)
    {
        // Not every root has the folders of root's commands in the path.
        string[] folders = [.. (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'), "/usr/sbin", "/sbin"];
        string? path = folders.Select(folder => Path.Combine(folder, command)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"'{command}' is missing: install the package {s_packages.GetValueOrDefault(command, command)}.");
        return path!;
    }

    /// <summary>Starts a command; skips the test when it is not installed.</summary>
    public static Tool Start(string command, params IEnumerable<string> arguments) =>
        new(Process.Start(new ProcessStartInfo(Need(command), arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        })!);

    /// <summary>Runs a command to its end and fails the test unless it went well.</summary>
    public static string Run(string command, params IEnumerable<string> arguments)
    {
        ToolResult result = Try(command, arguments);
        Assert.True(result.ExitCode == 0, $"{command} {string.Join(' ', arguments)}: exit code {result.ExitCode}\n{result.Error}");
        return result.Output;
    }

    /// <summary>Runs a command to its end, whatever that is.</summary>
    public static ToolResult Try(string command, params IEnumerable<string> arguments)
    {
        using Tool tool = Start(command, arguments);
        return tool.Wait();
    }

    /// <summary>Gives it its standard input, and no more.</summary>
    public Tool Feed(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Close();
        return this;
    }

    /// <summary>Gives it a part of its standard input, which stays open until it is disposed of.</summary>
    public void Write(string text)
    {
        _process.StandardInput.Write(text);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits for its end; kills it and fails when that does not come.</summary>
    public ToolResult Wait(TimeSpan? patience = null)
    {
        if (!_process.WaitForExit(patience ?? s_patience))
        {
            _process.Kill();
            _process.WaitForExit();
            Assert.Fail($"{_process.StartInfo.FileName} {string.Join(' ', _process.StartInfo.ArgumentList)} did not end.\n{Output}\n{Error}");
        }

        // Without a limit it also waits for the last lines.
        _process.WaitForExit();
        return new ToolResult(_process.ExitCode, Output, Error);
    }

    /// <summary>Sends it a signal by its name: <c>TERM</c>, <c>USR1</c>.</summary>
    public void Signal(string signal) =>
        Run("sh", "-c", string.Create(CultureInfo.InvariantCulture, $"kill -{signal} {Id}"));

    /// <summary>Sends a signal and waits for its end.</summary>
    public ToolResult End(string signal)
    {
        Signal(signal);
        return Wait();
    }

    /// <summary>Ends it, if it has not ended.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        // Also for its children: they hold its output, whose end is waited for.
        _process.StandardInput.Close();
        if (IsRunning)
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process.Dispose();
    }

    private static void Append(StringBuilder text, string? line)
    {
        lock (text)
        {
            if (line is not null)
            {
                text.Append(line).Append('\n');
            }
        }
    }

    private static string Read(StringBuilder text)
    {
        lock (text)
        {
            return text.ToString();
        }
    }
}
