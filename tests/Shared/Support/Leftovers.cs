using System.Diagnostics;
using System.Globalization;

namespace Conntracker.Tests;

/// <summary>
/// Removes the tests' namespaces: at the end those of this process, at the start also those of test runs that were killed.
/// </summary>
public sealed class Leftovers : IDisposable
{
    /// <summary>How every namespace's name begins; the process id of its test run follows.</summary>
    internal const string Prefix = "conntracker-test-";

    private const string NamedDirectory = "/run/netns";

    /// <summary>Removes what killed test runs have left.</summary>
    public Leftovers()
    {
        RemoveAll(process => !Directory.Exists($"/proc/{process}"));
        AppDomain.CurrentDomain.ProcessExit += RemoveOwn;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= RemoveOwn;
        RemoveOwn(this, EventArgs.Empty);
    }

    /// <summary>Kills what runs in a namespace, and removes it.</summary>
    internal static void Remove(string name)
    {
        foreach (string line in Tool.Try("ip", "netns", "pids", name).Lines)
        {
            if (int.TryParse(line, CultureInfo.InvariantCulture, out int id) && id != Environment.ProcessId)
            {
                Kill(id);
            }
        }

        Tool.Try("ip", "netns", "delete", name);
    }

    private static void RemoveOwn(object? sender, EventArgs e) => RemoveAll(process => process == Environment.ProcessId);

    private static void RemoveAll(Predicate<int> isWanted)
    {
        if (!TestNamespace.IsRoot || !Directory.Exists(NamedDirectory))
        {
            return;
        }

        foreach (string path in Directory.GetFiles(NamedDirectory, Prefix + "*"))
        {
            string name = Path.GetFileName(path);
            string process = name[Prefix.Length..].Split('-')[0];
            if (int.TryParse(process, CultureInfo.InvariantCulture, out int id) && isWanted(id))
            {
                Remove(name);
            }
        }
    }

    private static void Kill(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            process.Kill();
            process.WaitForExit(TimeSpan.FromSeconds(5));
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            // It ended by itself.
        }
    }
}
