using System.Globalization;
using System.Runtime.ExceptionServices;
using Conntracker.Core.Capture;
using Conntracker.Core.Firewall;
using Conntracker.Core.Native;
using Conntracker.Core.Sources;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>A network namespace of the test's own, with the loopback up. Skips the test when there is no root.</summary>
internal sealed class TestNamespace : IDisposable
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

    /// <summary>Where captures note the namespace's settings as they were, while they have accounting switched on.</summary>
    public string AccountingFile => StateFile(AccountingLease.Purpose);

    /// <summary>The kernel's cookie of it.</summary>
    public ulong Cookie => Do(() =>
    {
        using NetlinkSocket socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "the test");
        return socket.NamespaceCookie();
    });

    /// <summary>Where captures note the namespace's settings as they were, while they have them changed.</summary>
    public string StateFile(SettingsPurpose purpose) =>
        string.Create(CultureInfo.InvariantCulture, $"{SettingsLease.StateFolder}/{purpose.Name}-{Cookie}.json");

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
                NetworkNamespace.Enter(Name);
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
            // The directory is there only once a capture has changed settings.
            foreach (string file in SettingsPurpose.All.Select(StateFile).Where(File.Exists))
            {
                File.Delete(file);
            }

            Leftovers.Remove(Name);
        }
    }

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
