namespace Conntracker.Core.Hosts;

/// <summary>Reads the sysctls that affect filtering and forwarding. The kernel shows those of the calling thread's network namespace.</summary>
internal sealed class HostSettings
{
    private const string Root = "/proc/sys/";
    private const int MaximumInterfaces = 1000;

    private static readonly string[] s_general =
    [
        "net.ipv4.ip_forward",
        "net.ipv4.ip_nonlocal_bind",
        "net.ipv4.ip_default_ttl",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.icmp_echo_ignore_all",
        "net.ipv4.icmp_echo_ignore_broadcasts",
        "net.ipv4.fwmark_reflect",
        "net.ipv4.tcp_fwmark_accept",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.fib_multipath_hash_policy",
        "net.ipv6.ip_nonlocal_bind",
        "net.ipv6.fwmark_reflect",
        "net.ipv6.fib_multipath_hash_policy",
        "net.ipv6.icmp.echo_ignore_all",
        "net.ipv6.icmp.echo_ignore_anycast",
        "net.ipv6.icmp.echo_ignore_multicast",
        "net.bridge.bridge-nf-call-arptables",
        "net.bridge.bridge-nf-call-iptables",
        "net.bridge.bridge-nf-call-ip6tables",
        "net.bridge.bridge-nf-filter-vlan-tagged",
        "net.bridge.bridge-nf-filter-pppoe-tagged",
        "net.bridge.bridge-nf-pass-vlan-input-dev",
        "net.netfilter.nf_conntrack_acct",
        "net.netfilter.nf_conntrack_checksum",
        "net.netfilter.nf_conntrack_helper",
        "net.netfilter.nf_conntrack_tcp_be_liberal",
        "net.netfilter.nf_conntrack_tcp_ignore_invalid_rst",
        "net.netfilter.nf_conntrack_tcp_loose",
    ];

    private static readonly (string Directory, string[] Names)[] s_interface =
    [
        ("net.ipv4.conf", ["forwarding", "rp_filter", "route_localnet", "accept_local", "accept_source_route", "src_valid_mark", "bc_forwarding"]),
        ("net.ipv6.conf", ["forwarding", "disable_ipv6", "accept_source_route"]),
    ];

    private readonly Dictionary<string, string> _settings = new(StringComparer.Ordinal);
    private string? _refused;
    private int _refusals;

    /// <summary>Reads the settings.</summary>
    /// <param name="interfaces">The names of the interfaces whose own settings are read.</param>
    /// <param name="omissions">Collects what could not be read. A setting that the kernel does not have is not missing.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public static IReadOnlyDictionary<string, string> Read(IReadOnlyCollection<string> interfaces, HostOmissions omissions, CancellationToken cancellation)
    {
        HostSettings reader = new();
        foreach (string name in s_general)
        {
            reader.Read(name, Root + name.Replace('.', '/'));
        }

        string[] chosen = ["all", "default", .. interfaces.Take(MaximumInterfaces).Where(each => each is not ("all" or "default"))];
        foreach ((string directory, string[] names) in s_interface)
        {
            foreach (string each in chosen)
            {
                cancellation.ThrowIfCancellationRequested();
                reader.ReadInterface(directory, each, names);
            }
        }

        if (interfaces.Count > MaximumInterfaces)
        {
            omissions.AddBeyond("Interfaces' own settings", MaximumInterfaces, interfaces.Count - MaximumInterfaces);
        }

        if (reader._refused is string refused)
        {
            omissions.Add($"Settings that could not be read: {reader._refusals}. The first one is {refused}");
        }

        return reader._settings;
    }

    /// <summary>
    /// Whether a text is the name of a setting of the network. A description that is applied must not write to anything else below /proc/sys.
    /// </summary>
    public static bool IsName(string text) =>
        text.StartsWith("net.", StringComparison.Ordinal) && !text.Any(each => char.IsWhiteSpace(each) || char.IsControl(each))
        && text.Split('.').All(each => each.Length > 0 && each[0] != '/' && each[^1] != '/' && !each.Contains("//", StringComparison.Ordinal));

    // In the name of a setting a dot of an interface's name is a slash, as in sysctl(8); in the path it stays a dot.
    private void ReadInterface(string directory, string name, string[] settings)
    {
        string path = $"{Root}{directory.Replace('.', '/')}/{name}";
        foreach (string each in settings)
        {
            Read($"{directory}.{name.Replace('.', '/')}.{each}", $"{path}/{each}");
        }
    }

    private void Read(string name, string path)
    {
        try
        {
            _settings[name] = File.ReadAllText(path).Trim().Replace('\t', ' ');
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            // This kernel has no such setting, or a module is not loaded.
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _refusals++;
            _refused ??= $"{name}: {error.Message}";
        }
    }
}
