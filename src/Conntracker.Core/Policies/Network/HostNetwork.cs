using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Policies.Network;

/// <summary>
/// The network of a host, built from its description in a network namespace: devices with the host's names and numbers, addresses, routes, settings. It
/// needs a fresh namespace that belongs to the test alone. One thread at a time may use it, and it must be in that namespace.
/// </summary>
internal sealed class HostNetwork : IDisposable
{
    private readonly Dictionary<string, ProbeDevice> _byName;
    private readonly Dictionary<int, ProbeDevice> _byIndex = [];
    private readonly NetlinkRequests _requests;
    private readonly RouteLookup _routes;
    private readonly GroupMembers _groups;
    private readonly PacketOutlet? _outlet;

    internal HostNetwork(
        IReadOnlyList<ProbeDevice> devices,
        NetlinkRequests requests,
        GroupMembers groups,
        PacketOutlet? outlet,
        bool isSynchronous,
        IReadOnlyList<string> notices)
    {
        Devices = devices;
        Notices = notices;
        IsSynchronous = isSynchronous;
        _byName = devices.ToDictionary(each => each.Name, StringComparer.Ordinal);
        foreach (ProbeDevice each in devices)
        {
            _byIndex.TryAdd(each.Index, each);
        }

        _requests = requests;
        _routes = new RouteLookup(requests);
        _groups = groups;
        _outlet = outlet;
    }

    /// <summary>The devices that were made, without the loopback.</summary>
    public IReadOnlyList<ProbeDevice> Devices { get; }

    /// <summary>What of the host could not be built, one sentence each; at most 20 and the number of the others.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>
    /// Whether the kernel has handled a packet when <see cref="ProbeDevice.Send"/> returns. False where /dev/net/tun may not be opened: then a packet may
    /// be handled a little later, and the caller waits for it.
    /// </summary>
    public bool IsSynchronous { get; }

    /// <summary>Builds the host in the calling thread's network namespace, which must be fresh and private.</summary>
    /// <exception cref="ConntrackException">The kernel refused what everything else needs; a part that cannot be built is a notice.</exception>
    public static HostNetwork Build(FirewallHost host) => Build(host, "/dev/net/tun");

    /// <summary>Builds the host; a test names another path to see what happens where /dev/net/tun may not be opened.</summary>
    internal static HostNetwork Build(FirewallHost host, string tunPath)
    {
        ArgumentNullException.ThrowIfNull(host);
        NetlinkRequests requests = NetlinkRequests.OpenRoute();
        GroupMembers groups = new();
        try
        {
            return new HostBuilder(host, requests, groups).Build(tunPath);
        }
        catch
        {
            groups.Dispose();
            requests.Dispose();
            throw;
        }
    }

    /// <summary>The device of an interface; null when there is none of that name. The loopback is none.</summary>
    public ProbeDevice? Find(string name) => _byName.GetValueOrDefault(name);

    /// <summary>The device with a number (ifi_index); null when there is none.</summary>
    public ProbeDevice? Find(int index) => _byIndex.GetValueOrDefault(index);

    /// <summary>Whether the host takes packets to the address as its own: its addresses, local routes, 127.0.0.0/8 and ::1.</summary>
    public bool IsLocal(IPAddress address) => _routes.Find(address).Type == RouteConstants.RTN_LOCAL;

    /// <summary>The device by which a packet from this address comes in: that of the route back. Null for own addresses, groups, and without a route.</summary>
    public ProbeDevice? InInterfaceFor(IPAddress source)
    {
        RouteAnswer answer = _routes.Find(source);
        return answer.Type == RouteConstants.RTN_UNICAST ? Find(answer.Index) : null;
    }

    /// <summary>The interface by which a packet of the host to this address leaves, <c>lo</c> for own addresses; null without a route.</summary>
    /// <param name="destination">The destination.</param>
    /// <param name="mark">The packet's mark, which routing rules may ask for.</param>
    public string? OutInterfaceFor(IPAddress destination, uint mark = 0)
    {
        RouteAnswer answer = _routes.Find(destination, mark);
        return answer.Type == RouteConstants.RTN_LOCAL ? "lo" : Find(answer.Index)?.Name;
    }

    /// <summary>To whom a frame with a packet to this address is addressed: the routes know the broadcast addresses of the subnets.</summary>
    public LinkDestination LinkDestinationFor(IPAddress destination) =>
        destination.AddressFamily == AddressFamily.InterNetwork && _routes.Find(destination).Type == RouteConstants.RTN_BROADCAST
            ? LinkDestination.Broadcast
            : LinkDestination.ByAddress;

    /// <summary>Joins a multicast group, without which the kernel takes no packets to it. A group that is joined already stays joined.</summary>
    /// <returns>0 or the error number.</returns>
    public int JoinGroup(IPAddress group, ProbeDevice device) => _groups.Join(group, device.Index);

    /// <summary>Reads and drops what the kernel has sent out by all devices.</summary>
    public void Drain()
    {
        foreach (ProbeDevice each in Devices)
        {
            each.Drain();
        }
    }

    /// <summary>Removes the devices; the rest goes with the namespace.</summary>
    public void Dispose()
    {
        foreach (ProbeDevice each in Devices)
        {
            each.Dispose();
        }

        _outlet?.Dispose();
        _groups.Dispose();
        _requests.Dispose();
    }

    /// <summary>The devices' number and the notices' number.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Devices.Count} devices, {Notices.Count} notices");
}
