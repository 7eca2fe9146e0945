using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Model;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.LinkConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.Network;

/// <summary>Builds a <see cref="HostNetwork"/>: settings, devices, addresses, routes and routing rules, groups, in this order.</summary>
internal sealed class HostBuilder
{
    private const string Loopback = "lo";
    private const int LoopbackIndex = 1;

    private readonly FirewallHost _host;
    private readonly NetworkNotices _notices = new();
    private readonly List<NetlinkFailure> _failures = [];
    private readonly Dictionary<string, ProbeDevice> _devices = new(StringComparer.Ordinal);
    private readonly GroupMembers _groups;
    private readonly NetlinkRequests _requests;

    /// <summary>Prepares to build a host; the network takes over the sockets.</summary>
    public HostBuilder(FirewallHost host, NetlinkRequests requests, GroupMembers groups)
    {
        _host = host;
        _requests = requests;
        _groups = groups;
    }

    /// <summary>Builds it in the calling thread's network namespace.</summary>
    /// <param name="tunPath">The path of /dev/net/tun.</param>
    public HostNetwork Build(string tunPath)
    {
        PacketOutlet? outlet = null;
        try
        {
            HostSettings settings = new(_host.Settings, _notices);
            settings.WriteGeneral();
            AddFlags(LoopbackIndex, Loopback, IFF_UP, IFF_UP);
            DeviceMaker maker = new(_host, _requests, _notices, tunPath);
            MakeDevices(maker);
            outlet = maker.Outlet;
            settings.WriteInterfaces(name => name == Loopback || _devices.ContainsKey(name));
            Configure(maker);
            AddAddresses();
            AddRoutes();
            AddRules();
            JoinGroups();
            return new HostNetwork([.. _devices.Values], _requests, _groups, outlet, maker.IsSynchronous, _notices.ToList());
        }
        catch
        {
            foreach (ProbeDevice each in _devices.Values)
            {
                each.Dispose();
            }

            outlet?.Dispose();
            throw;
        }
    }

    private void MakeDevices(DeviceMaker maker)
    {
        foreach (FirewallInterface each in _host.Interfaces)
        {
            if (each.Name == Loopback)
            {
                continue;
            }

            if (_devices.ContainsKey(each.Name))
            {
                _notices.Add($"The host has two interfaces with the name {SafeText.Printable(each.Name)}; the second was left out.");
            }
            else if (maker.Make(each) is ProbeDevice device)
            {
                _devices.Add(each.Name, device);
            }
        }
    }

    // Each value is a request of its own: one that is refused leaves the others.
    private void Configure(DeviceMaker maker)
    {
        NetlinkWriter writer = new(stackalloc byte[NetworkMessages.MaximumLength]);
        foreach (FirewallInterface each in _host.Interfaces)
        {
            if (!_devices.TryGetValue(each.Name, out ProbeDevice? device))
            {
                continue;
            }

            if (device.HasLinkHeader && device.Kind == "tun")
            {
                NetworkMessages.WriteLinkAddress(ref writer, device.Index, device.LinkAddress);
                Send(ref writer, $"the link-layer address of {each.Name}");
            }

            NetworkMessages.WriteLinkNumber(ref writer, device.Index, IFLA_MTU, each.Mtu);
            Send(ref writer, $"the MTU of {each.Name}");
            if (each.Group != 0)
            {
                NetworkMessages.WriteLinkNumber(ref writer, device.Index, IFLA_GROUP, each.Group);
                Send(ref writer, $"the group of {each.Name}");
            }

            foreach (string name in each.AlternativeNames.Where(name => name.Length is > 0 and < 128))
            {
                NetworkMessages.WriteAlternativeName(ref writer, device.Index, name);
                Send(ref writer, $"the name {SafeText.Printable(name)} of {each.Name}");
            }

            if (maker.IsBridge(each.Master) && _devices.TryGetValue(each.Master!, out ProbeDevice? bridge))
            {
                NetworkMessages.WriteLinkNumber(ref writer, device.Index, IFLA_MASTER, (uint)bridge.Index);
                Send(ref writer, $"the bridge of {each.Name}");
                bridge.AddPort(device);
            }

            device.IsUp = each.IsUp;
            AddFlags(device.Index, each.Name, IFF_NOARP | (each.IsUp ? IFF_UP : 0), IFF_NOARP | IFF_UP);
        }

        Flush();
    }

    private void AddFlags(int index, string name, int flags, int change)
    {
        NetlinkWriter writer = new(stackalloc byte[NetworkMessages.MaximumLength]);
        NetworkMessages.WriteFlags(ref writer, index, flags, change);
        Send(ref writer, $"the state of {name}");
    }

    private void AddAddresses()
    {
        HashSet<(string, IPNetwork)> routed = [];
        foreach (FirewallRoute route in _host.Routes)
        {
            if (route.Interface is string name && NetworkMessages.TryParsePrefix(route.Destination, out IPNetwork prefix))
            {
                routed.Add((name, prefix));
            }
        }

        foreach (FirewallInterface each in _host.Interfaces)
        {
            int index = IndexOf(each.Name);
            for (int i = 0; i < each.Addresses.Count && index != 0; i++)
            {
                string? other = i < each.PeerAddresses.Count && each.PeerAddresses[i].Length != 0 ? each.PeerAddresses[i] : null;
                AddAddress(each, index, each.Addresses[i], other, routed);
            }
        }

        Flush();
    }

    private void AddAddress(FirewallInterface owner, int index, string text, string? otherText, HashSet<(string, IPNetwork)> routed)
    {
        IPAddress? other = null;
        if (!NetworkMessages.TryParseAddress(text, out IPAddress address, out int prefix)
            || (otherText is not null && !NetworkMessages.TryParseAddress(otherText, out other, out prefix)))
        {
            _notices.Add($"'{SafeText.Printable(otherText ?? text)}' of the interface {owner.Name} is not an address, and was left out.");
            return;
        }

        // The kernel has these from the start.
        if (owner.Name == Loopback && other is null && (text is "127.0.0.1/8" or "::1/128"))
        {
            return;
        }

        // A host that was read has all its routes in the list, also those that the kernel adds with an address: others must not appear.
        bool isListed = NetworkMessages.TryParsePrefix($"{other ?? address}/{prefix}", out IPNetwork network) && routed.Contains((owner.Name, network));
        NetlinkWriter writer = new(stackalloc byte[NetworkMessages.MaximumLength]);
        NetworkMessages.WriteAddress(ref writer, index, address, other, prefix, hasPrefixRoute: _host.ReadAt is null && !isListed);
        Send(ref writer, $"the address {text} of {owner.Name}");
    }

    // Routes on the link come first: gateways must be reachable by them.
    private void AddRoutes()
    {
        foreach (FirewallRoute route in _host.Routes.Where(each => each.Gateway is null))
        {
            AddRoute(route, route.IsOnLink, route);
        }

        foreach (FirewallRoute route in _host.Routes.Where(each => each.Gateway is not null))
        {
            AddRoute(route, route.IsOnLink, route);
        }

        _requests.Flush(_failures);
        NetlinkFailure[] refused = [.. _failures];
        _failures.Clear();
        foreach (NetlinkFailure failure in refused)
        {
            // A gateway that was reachable when the route was added need not be now.
            FirewallRoute route = (FirewallRoute)failure.Subject;
            if (route.Gateway is not null && !route.IsOnLink && failure.Errno != EEXIST)
            {
                AddRoute(route, isOnLink: true, $"the route {route}");
            }
            else
            {
                _failures.Add(failure with { Subject = $"the route {route}" });
            }
        }

        Flush();
    }

    private void AddRoute(FirewallRoute route, bool isOnLink, object subject)
    {
        int index = 0;
        if (route.Interface is not null)
        {
            index = IndexOf(route.Interface);
            if (index == 0)
            {
                _notices.Add($"The route {SafeText.Printable(route.ToString())} was left out, because its interface does not exist.");
                return;
            }
        }

        NetlinkWriter writer = new(stackalloc byte[NetworkMessages.MaximumLength]);
        if (!NetworkMessages.TryParsePrefix(route.Destination, out IPNetwork destination)
            || !NetworkMessages.TryWriteRoute(ref writer, route, destination, index, ScopeOf(route, destination), isOnLink))
        {
            _notices.Add($"The route {SafeText.Printable(route.ToString())} cannot be read, and was left out.");
            return;
        }

        Send(ref writer, subject);
    }

    // Who writes a description by hand leaves the scope out, as on the command line of ip(8).
    private byte ScopeOf(FirewallRoute route, IPNetwork destination) =>
        destination.BaseAddress.AddressFamily == AddressFamily.InterNetworkV6 || route.Scope != 0 || _host.ReadAt is not null ? route.Scope
        : route.Type is "local" or "nat" ? (byte)RouteConstants.RT_SCOPE_HOST
        : route.Type == "broadcast" || (route.Type == "unicast" && route.Gateway is null) ? (byte)RouteConstants.RT_SCOPE_LINK
        : (byte)0;

    private void AddRules()
    {
        NetlinkWriter writer = new(stackalloc byte[NetworkMessages.MaximumLength]);
        foreach (FirewallRoutingRule rule in _host.RoutingRules)
        {
            if (!IsName(rule.InInterface) || !IsName(rule.OutInterface) || !NetworkMessages.TryWriteRule(ref writer, rule))
            {
                writer.Clear();
                _notices.Add($"The routing rule {SafeText.Printable(rule.ToString())} cannot be read, and was left out.");
                continue;
            }

            Send(ref writer, $"the routing rule {rule}");
        }

        Flush();
    }

    private void JoinGroups()
    {
        foreach (FirewallInterface each in _host.Interfaces)
        {
            int index = IndexOf(each.Name);
            foreach (string text in index == 0 ? [] : each.MulticastGroups)
            {
                int errno = IPAddress.TryParse(text, out IPAddress? group) ? _groups.Join(group, index) : EINVAL;
                if (errno != 0)
                {
                    _notices.Add($"The group {SafeText.Printable(text)} could not be joined on {each.Name}: {Errno.Describe(errno)}.");
                }
            }
        }
    }

    private static bool IsName(string? name) => name is null || name.Length is > 0 and < 16;

    private int IndexOf(string name) => name == Loopback ? LoopbackIndex : _devices.TryGetValue(name, out ProbeDevice? device) ? device.Index : 0;

    private void Send(ref NetlinkWriter writer, object subject)
    {
        _requests.Add(writer.Written, subject, _failures);
        writer.Clear();
    }

    // What exists already came with an address or a device.
    private void Flush()
    {
        _requests.Flush(_failures);
        foreach (NetlinkFailure failure in _failures.Where(each => each.Errno != EEXIST))
        {
            string text = failure.Text is null ? "" : $" ({SafeText.Printable(failure.Text)})";
            _notices.Add($"The kernel refused {SafeText.Printable(failure.Subject.ToString() ?? "")}: {Errno.Describe(failure.Errno)}{text}.");
        }

        _failures.Clear();
    }
}
