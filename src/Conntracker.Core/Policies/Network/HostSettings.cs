using System.Text;
using Conntracker.Core.Model;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.Network;

/// <summary>
/// Writes a host's sysctls in the calling thread's network namespace: /proc/sys/net shows the namespace of the thread that opens a file there. Only
/// settings that belong to a network namespace are written, whatever the description holds.
/// </summary>
internal sealed unsafe class HostSettings
{
    // Every answer of the kernel is to be seen, own addresses may be sources, and nothing is logged; addresses are usable at once and there are no others.
    private static readonly (string Name, string Value)[] s_before =
    [
        ("net.ipv6.conf.all.accept_dad", "0"),
        ("net.ipv6.conf.default.accept_dad", "0"),
        ("net.ipv6.conf.default.accept_ra", "0"),
        ("net.ipv6.conf.default.autoconf", "0"),
        ("net.ipv6.conf.default.addr_gen_mode", "1"),
        ("net.ipv4.conf.all.log_martians", "0"),
        ("net.ipv4.conf.default.log_martians", "0"),
        ("net.ipv4.icmp_ratelimit", "0"),
        ("net.ipv4.icmp_ratemask", "0"),
        ("net.ipv4.icmp_msgs_per_sec", "1000000"),
        ("net.ipv4.icmp_msgs_burst", "1000000"),
        ("net.ipv6.icmp.ratelimit", "0"),
        ("net.ipv4.igmp_max_memberships", "4096"),
        ("net.ipv4.conf.all.accept_local", "1"),
        ("net.ipv4.conf.default.accept_local", "1"),
    ];

    // Of every interface: their last part is ours to decide, or is about the machine instead of the namespace.
    private static readonly HashSet<string> s_own =
    [
        "accept_dad", "accept_ra", "autoconf", "addr_gen_mode", "log_martians", "accept_local", "icmp_ratelimit", "icmp_ratemask", "icmp_msgs_per_sec",
        "icmp_msgs_burst", "ratelimit", "igmp_max_memberships", "stable_secret", "mc_forwarding", "nf_conntrack_max", "nf_conntrack_buckets",
        "nf_conntrack_expect_max", "nf_conntrack_count", "nf_conntrack_log_invalid", "dad_transmits",
    ];

    private static readonly string[] s_prefixes = ["net.ipv4.", "net.ipv6.", "net.bridge.bridge-nf-", "net.netfilter.nf_conntrack_"];

    private readonly IReadOnlyDictionary<string, string> _settings;
    private readonly NetworkNotices _notices;

    /// <summary>Takes the settings of a host.</summary>
    public HostSettings(IReadOnlyDictionary<string, string> settings, NetworkNotices notices)
    {
        _settings = settings;
        _notices = notices;
    }

    /// <summary>
    /// Writes what must be there before the interfaces are: our own values, and the host's settings that are not about one interface. Those of all
    /// interfaces come first, since the kernel resets single ones with them.
    /// </summary>
    public void WriteGeneral()
    {
        foreach ((string name, string value) in s_before)
        {
            _ = Write(name, value);
        }

        foreach ((string name, string value) in _settings.OrderBy(each => RankOf(each.Key)).ThenBy(each => each.Key, StringComparer.Ordinal))
        {
            if (InterfaceOf(name) is null or "all" or "default")
            {
                WriteOfHost(name, value);
            }
        }
    }

    /// <summary>Writes the settings of the interfaces that exist.</summary>
    /// <param name="exists">Whether an interface exists: those of others are left out.</param>
    public void WriteInterfaces(Func<string, bool> exists)
    {
        foreach ((string name, string value) in _settings)
        {
            if (InterfaceOf(name) is string device and not ("all" or "default") && exists(device))
            {
                WriteOfHost(name, value);
            }
        }
    }

    /// <summary>Writes a setting in the calling thread's network namespace.</summary>
    /// <returns>0 or the error number.</returns>
    public static int Write(string name, string value)
    {
        int number = SafeLibC.open(PathOf(name), O_WRONLY | O_CLOEXEC);
        if (number < 0)
        {
            return Errno.Last;
        }

        using SafeFileDescriptor file = new(number);
        byte[] bytes = Encoding.UTF8.GetBytes(value + "\n");
        fixed (byte* first = bytes)
        {
            return SafeLibC.write(file, first, bytes.Length) < 0 ? Errno.Last : 0;
        }
    }

    // As sysctl(8): dots separate, and a dot in an interface's name is written as a slash.
    private static string PathOf(string name) => "/proc/sys/" + string.Create(name.Length, name, static (path, from) =>
    {
        for (int i = 0; i < path.Length; i++)
        {
            path[i] = from[i] switch
            {
                '.' => '/',
                '/' => '.',
                char other => other,
            };
        }
    });

    // net.ipv4.conf.NAME.setting and net.ipv6.neigh.NAME.setting: the name, with its own dots; null for other settings.
    private static string? InterfaceOf(string name)
    {
        string[] parts = name.Split('.');
        return parts is ["net", "ipv4" or "ipv6", "conf" or "neigh", _, _, ..] ? parts[3].Replace('/', '.') : null;
    }

    private static int RankOf(string name) =>
        name == "net.ipv4.ip_forward" ? 0 : name.Contains(".conf.all.", StringComparison.Ordinal) ? 1 : 2;

    private void WriteOfHost(string name, string value)
    {
        string path = PathOf(name);
        if (!Array.Exists(s_prefixes, each => name.StartsWith(each, StringComparison.Ordinal)) || path.Split('/').Any(each => each is "." or "..")
            || value.Length > 256 || value.Contains('\0', StringComparison.Ordinal))
        {
            _notices.Add($"The setting {SafeText.Printable(name)} does not belong to a network namespace, and was left out.");
            return;
        }

        if (s_own.Contains(name[(name.LastIndexOf('.') + 1)..]))
        {
            return;
        }

        int errno = Write(name, value);
        if (errno != 0)
        {
            _notices.Add(errno == ENOENT
                ? $"The setting {SafeText.Printable(name)} of the host does not exist on this kernel."
                : $"The setting {SafeText.Printable(name)} could not be set to '{SafeText.Printable(value)}': {Errno.Describe(errno)}.");
        }
    }
}
