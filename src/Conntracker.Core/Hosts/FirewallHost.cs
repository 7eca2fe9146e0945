using System.Text;
using Conntracker.Core.Hosts;

namespace Conntracker;

/// <summary>
/// What of a host decides how its firewall treats packets, without the rules themselves: interfaces, addresses, routes and settings. A ruleset can
/// be tested for a host that is described so, on any machine.
/// </summary>
public sealed record FirewallHost
{
    /// <summary>The host's name (uname -n).</summary>
    public string Name { get; init; } = "";

    /// <summary>The release of its kernel (uname -r).</summary>
    public string KernelRelease { get; init; } = "";

    /// <summary>When the host was read; null for a description that was written by hand.</summary>
    public DateTimeOffset? ReadAt { get; init; }

    /// <summary>The network interfaces with their addresses, by index; the loopback interface is one of them.</summary>
    public IReadOnlyList<FirewallInterface> Interfaces { get; init; } = [];

    /// <summary>
    /// The routes of all tables but <c>local</c>, which the kernel makes of the addresses; routes of the type local that a user added are here.
    /// </summary>
    public IReadOnlyList<FirewallRoute> Routes { get; init; } = [];

    /// <summary>The rules that choose a routing table (<c>ip rule</c>), without the three that each host has.</summary>
    public IReadOnlyList<FirewallRoutingRule> RoutingRules { get; init; } = [];

    /// <summary>
    /// The sysctls that affect filtering and forwarding, by their names below /proc/sys with dots for slashes (<c>net.ipv4.ip_forward</c>). A dot in an
    /// interface's name is a slash, as in sysctl(8).
    /// </summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>The sets of ipset(8), which rules of iptables may refer to.</summary>
    public IReadOnlyList<FirewallIpSet> IpSets { get; init; } = [];

    /// <summary>The names of users with their numbers, so that rules may name them; empty when not read.</summary>
    public IReadOnlyDictionary<string, uint> Users { get; init; } = new Dictionary<string, uint>();

    /// <summary>The names of groups with their numbers, so that rules may name them; empty when not read.</summary>
    public IReadOnlyDictionary<string, uint> Groups { get; init; } = new Dictionary<string, uint>();

    /// <summary>What could not be read, one sentence each; empty when the description is complete.</summary>
    public IReadOnlyList<string> Notices { get; init; } = [];

    /// <summary>Reads a description in JSON, as <see cref="ToJson"/> writes it. Comments and commas at the end of a list are allowed.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="ConntrackException">It cannot be opened, or is no description of a host; the message names file, line and property.</exception>
    public static FirewallHost Load(string path) => FirewallHostJson.Load(path);

    /// <summary>Reads a description from a text in JSON.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it is from, for error messages.</param>
    /// <exception cref="ConntrackException">It is no description of a host; the message names line and property.</exception>
    public static FirewallHost FromJson(string json, string source = "The description of the host") =>
        FirewallHostJson.Read(Encoding.UTF8.GetBytes(json), source);

    /// <summary>The description as indented JSON, with the names of the properties and without those that are null.</summary>
    public string ToJson() => Encoding.UTF8.GetString(FirewallHostJson.Write(this));

    /// <summary>The name, and how many interfaces it has.</summary>
    public override string ToString() => $"{Name} ({Interfaces.Count} interfaces)";
}
