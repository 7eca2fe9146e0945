using System.Globalization;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace Conntracker.Tests;

/// <summary>
/// A network namespace of the test's own, with the loopback up. Skips the test when there is no root. Nothing of the product is used here:
/// the tests of the module have it from its folder only.
/// </summary>
internal sealed partial class TestNamespace : IDisposable
{
    private static int s_last;

    /// <summary>Makes it.</summary>
    public TestNamespace()
    {
        NeedRoot();
        Name = string.Create(CultureInfo.InvariantCulture, $"{Leftovers.Prefix}{Environment.ProcessId}-{Interlocked.Increment(ref s_last)}");
        Tool.Run("ip", "netns", "add", Name);

        // No second of waiting until an IPv6 address may be used.
        WriteSetting("ipv6/conf/all/accept_dad", "0");
        WriteSetting("ipv6/conf/default/accept_dad", "0");
        Tool.Run("ip", "-n", Name, "link", "set", "lo", "up");
    }

    /// <summary>Its name, as <c>ip netns</c> shows it.</summary>
    public string Name { get; }

    /// <summary>Whether namespaces can be made: containers know a root that may not.</summary>
    public static bool IsRoot { get; } = HasCapabilities();

    /// <summary>Skips the test when there is no root.</summary>
    public static void NeedRoot() =>
        Assert.SkipUnless(IsRoot, "Needs root, with CAP_NET_ADMIN and CAP_SYS_ADMIN: it makes network namespaces and captures in them.");

    /// <summary>Runs a command in it and fails the test unless it went well.</summary>
    public string Run(string command, params IEnumerable<string> arguments) =>
        Tool.Run("ip", ["netns", "exec", Name, Tool.Need(command), .. arguments]);

    /// <summary>Starts a command in it.</summary>
    public Tool Start(string command, params IEnumerable<string> arguments) =>
        Tool.Start("ip", ["netns", "exec", Name, Tool.Need(command), .. arguments]);

    /// <summary>Loads rules as <c>nft -f</c> reads them.</summary>
    public void LoadRules(string rules)
    {
        using Tool nft = Start("nft", "-f", "-").Feed(rules);
        ToolResult result = nft.Wait();
        Assert.True(result.ExitCode == 0, result.Error);
    }

    /// <summary>A setting of the namespace, by its path below /proc/sys/net.</summary>
    public string ReadSetting(string path) => Do(() => File.ReadAllText($"/proc/sys/net/{path}").Trim());

    /// <summary>Changes a setting of the namespace.</summary>
    public void WriteSetting(string path, string value) => Do(() => File.WriteAllText($"/proc/sys/net/{path}", value));

    /// <summary>Does something on a thread of its own that has entered the namespace; sockets made there stay in it.</summary>
    public T Do<T>(Func<T> act)
    {
        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                Enter();
                result = act();
            }
#pragma warning disable CA1031 // Whatever it is, the test's thread shows it.
            catch (Exception error)
#pragma warning restore CA1031
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        });
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <summary>Does something on a thread of its own that has entered the namespace.</summary>
    public void Do(Action act) => Do(() =>
    {
        act();
        return true;
    });

    /// <summary>Kills what runs in it, and removes it, with what a killed capture has noted of it.</summary>
    public void Dispose()
    {
        if (File.Exists($"/run/netns/{Name}"))
        {
            BeforeRemoval();
            Leftovers.Remove(Name);
        }
    }

    // What else of it is to be removed: a project that knows more of it has the other half.
    partial void BeforeRemoval();

    private void Enter()
    {
        const int NetworkOnly = 0x40000000;
        using SafeFileHandle handle = File.OpenHandle($"/run/netns/{Name}");
        Assert.True(setns((int)handle.DangerousGetHandle(), NetworkOnly) == 0, $"setns: errno {Marshal.GetLastPInvokeError()}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int setns(int fd, int nstype);

    private static bool HasCapabilities()
    {
        const int NetAdmin = 12;
        const int SysAdmin = 21;
        const ulong Both = (1ul << NetAdmin) | (1ul << SysAdmin);
        const string Effective = "CapEff:";
        string line = File.ReadLines("/proc/self/status").First(line => line.StartsWith(Effective, StringComparison.Ordinal));
        return (ulong.Parse(line.AsSpan(Effective.Length).Trim(), NumberStyles.HexNumber, CultureInfo.InvariantCulture) & Both) == Both;
    }
}
