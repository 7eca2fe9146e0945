using System.Globalization;
using Conntracker.Core.Hosts;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.RouteConstants;

namespace Conntracker;

/// <summary>
/// Reads what of this host decides how its firewall treats packets, from rtnetlink and /proc. Nothing is changed. Only the sets of ipset and another
/// network namespace need privileges.
/// </summary>
public static class FirewallHostReader
{
    private const int MaximumInterfaces = 10_000;
    private const int MaximumAddresses = 100_000;
    private const int MaximumRoutes = 100_000;
    private const int MaximumRules = 10_000;
    private const int MaximumGroups = 10_000;
    private const int MaximumAccounts = 65_536;

    // What each network namespace has from the beginning.
    private static readonly (FlowFamily Family, uint Priority, uint Table)[] s_usualRules =
    [
        (FlowFamily.IPv4, 0, RT_TABLE_LOCAL),
        (FlowFamily.IPv4, 32766, RT_TABLE_MAIN),
        (FlowFamily.IPv4, 32767, RT_TABLE_DEFAULT),
        (FlowFamily.IPv6, 0, RT_TABLE_LOCAL),
        (FlowFamily.IPv6, 32766, RT_TABLE_MAIN),
    ];

    /// <summary>Reads the host.</summary>
    /// <param name="networkNamespace">A network namespace: a name as <c>ip netns</c> shows it, or a path; null for the calling thread's own.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <returns>The description. What could not be read is in <see cref="FirewallHost.Notices"/>.</returns>
    /// <exception cref="ConntrackException">There is no such namespace, it may not be entered, or the kernel has no rtnetlink.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static FirewallHost Read(string? networkNamespace = null, CancellationToken cancellation = default) =>
        NetworkNamespace.Run(networkNamespace, () => ReadHere(cancellation));

    private static FirewallHost ReadHere(CancellationToken cancellation)
    {
        HostOmissions omissions = new();
        DateTimeOffset now = DateTimeOffset.UtcNow;
        FirewallInterface[] interfaces;
        List<FirewallRoute> routes;
        List<FirewallRoutingRule> rules;
        using (HostDump dump = new(omissions, cancellation))
        {
            interfaces = ReadInterfaces(dump, omissions);
            Dictionary<int, string> names = interfaces.ToDictionary(each => each.Index, each => each.Name);
            routes = dump.Read<FirewallRoute>("Routes", MaximumRoutes, each => each.RequestRoutes(), counter => new HostRouteDecoder(names, counter).Decode);
            rules = dump.Read<FirewallRoutingRule>(
                "Routing rules", MaximumRules, each => each.RequestRoutingRules(), counter => new RoutingRuleDecoder(counter).Decode);
        }

        RemoveUsualRules(rules, omissions);
        return new FirewallHost
        {
            Name = ReadLine("/proc/sys/kernel/hostname"),
            KernelRelease = ReadLine("/proc/sys/kernel/osrelease"),
            ReadAt = now,
            Interfaces = interfaces,
            Routes = routes,
            RoutingRules = rules,
            Settings = HostSettings.Read([.. interfaces.Select(each => each.Name)], omissions, cancellation),
            IpSets = IpSetReader.Read(omissions, cancellation),
            Users = ReadAccounts("/etc/passwd", "Names of users", omissions),
            Groups = ReadAccounts("/etc/group", "Names of groups", omissions),
            Notices = omissions.ToNotices(),
        };
    }

    private static FirewallInterface[] ReadInterfaces(HostDump dump, HostOmissions omissions)
    {
        List<(FirewallInterface Interface, int Master)> links = dump.Read<(FirewallInterface Interface, int Master)>(
            "Interfaces", MaximumInterfaces, each => each.RequestInterfaces(), _ => DecodeInterface);
        List<InterfaceAddress> addresses = dump.Read<InterfaceAddress>(
            "Addresses", MaximumAddresses, each => each.RequestAddresses(), _ => InterfaceAddress.Decode);

        // An interrupted dump may have one twice.
        (FirewallInterface Interface, int Master)[] distinct = [.. links.DistinctBy(each => each.Interface.Index).OrderBy(each => each.Interface.Index)];
        Dictionary<int, string> names = distinct.ToDictionary(each => each.Interface.Index, each => each.Interface.Name);
        ILookup<int, InterfaceAddress> addressesOf = addresses.Distinct().ToLookup(each => each.Index);
        ILookup<int, string> groupsOf = ReadGroups(omissions);
        return [.. distinct.Select(each => each.Interface with
        {
            Master = names.GetValueOrDefault(each.Master),
            Addresses = [.. addressesOf[each.Interface.Index].Select(address => address.Address)],
            PeerAddresses = addressesOf[each.Interface.Index].Any(address => address.Peer.Length > 0)
                ? [.. addressesOf[each.Interface.Index].Select(address => address.Peer)]
                : [],
            MulticastGroups = [.. groupsOf[each.Interface.Index].Distinct()],
        })];
    }

    private static DecodeResult DecodeInterface(in NetlinkMessage message, out (FirewallInterface Interface, int Master) found)
    {
        DecodeResult result = InterfaceDecoder.Decode(in message, out FirewallInterface? one, out int master);
        found = (one!, master);
        return result;
    }

    private static ILookup<int, string> ReadGroups(HostOmissions omissions)
    {
        // /proc/net would show the namespace of the process's first thread.
        List<(int Index, string Group)> groups =
        [
            .. MulticastGroups.ReadIPv4(Lines("/proc/thread-self/net/igmp", "The IPv4 multicast groups", omissions)),
            .. MulticastGroups.ReadIPv6(Lines("/proc/thread-self/net/igmp6", "The IPv6 multicast groups", omissions)),
        ];
        if (groups.Count > MaximumGroups)
        {
            omissions.AddBeyond("Multicast groups", MaximumGroups, groups.Count - MaximumGroups);
        }

        return groups.Take(MaximumGroups).ToLookup(each => each.Index, each => each.Group);
    }

    private static void RemoveUsualRules(List<FirewallRoutingRule> rules, HostOmissions omissions)
    {
        foreach ((FlowFamily family, uint priority, uint table) in s_usualRules)
        {
            FirewallRoutingRule usual = new() { Family = family, Priority = priority, Table = table };
            if (!rules.Remove(usual) && (family == FlowFamily.IPv4 || File.Exists("/proc/thread-self/net/if_inet6")))
            {
                omissions.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"The host lacks the usual {family} routing rule with the preference {priority} for the table {table}; a description cannot hold this."));
            }
        }
    }

    private static Dictionary<string, uint> ReadAccounts(string path, string what, HostOmissions omissions)
    {
        Dictionary<string, uint> names = AccountNames.Read(Lines(path, what, omissions), MaximumAccounts, out long beyond);
        if (beyond > 0)
        {
            omissions.AddBeyond(what, MaximumAccounts, beyond);
        }

        return names;
    }

    private static string[] Lines(string path, string what, HostOmissions omissions)
    {
        try
        {
            return File.Exists(path) ? File.ReadAllLines(path) : [];
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            omissions.Add($"{what} could not be read: {error.Message}");
            return [];
        }
    }

    private static string ReadLine(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
