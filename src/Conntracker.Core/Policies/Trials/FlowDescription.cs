using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Flows;

namespace Conntracker;

/// <summary>
/// Describes flows that nobody has seen, so that a ruleset can be tested with them. Each combination of its protocols, addresses and ports is one flow;
/// addresses are combined with those of their own family. What is left out gets a usual value.
/// </summary>
public sealed record FlowDescription
{
    /// <summary>The source port of a flow that names none: one of the middle of those that Linux gives clients.</summary>
    public const ushort UsualClientPort = 45000;

    // Names of interfaces have IFNAMSIZ bytes, with a NUL at the end.
    private const int LongestInterfaceName = 15;

    private static readonly PortRange s_usualClientPort = new(UsualClientPort);

    /// <summary>The protocols.</summary>
    public required IReadOnlyList<FlowProtocol> Protocols { get; init; }

    /// <summary>The addresses that send the first packet, before NAT.</summary>
    public required IReadOnlyList<IPAddress> SrcAddresses { get; init; }

    /// <summary>The addresses that the first packet is sent to, before NAT.</summary>
    public required IReadOnlyList<IPAddress> DstAddresses { get; init; }

    /// <summary>The ports that the first packet is sent to; required for protocols with ports.</summary>
    public IReadOnlyList<PortRange> DstPorts { get; init; } = [];

    /// <summary>The ports that send the first packet; none is <see cref="UsualClientPort"/>.</summary>
    public IReadOnlyList<PortRange> SrcPorts { get; init; } = [];

    /// <summary>The ICMP type; null is an echo request, 8 (IPv6: 128).</summary>
    public byte? IcmpType { get; init; }

    /// <summary>The ICMP code; null is 0.</summary>
    public byte? IcmpCode { get; init; }

    /// <summary>The interface that the first packet comes in by; null when the routes decide, and for a packet that the host sends.</summary>
    public string? InInterface { get; init; }

    /// <summary>The interface that the first packet leaves by; null when the routes decide.</summary>
    public string? OutInterface { get; init; }

    /// <summary>The mark that the first packet has from its start; null is 0.</summary>
    public uint? PacketMark { get; init; }

    /// <summary>The number of the user whose process sends the first packet; null is root. Only for packets that the host sends.</summary>
    public uint? UserId { get; init; }

    /// <summary>The flows, each made when the caller asks for it. A flow with a user has a process without a name or id that shows the user.</summary>
    /// <exception cref="ArgumentException">The values contradict each other; the message says which, and what to do.</exception>
    public IEnumerable<Flow> ToFlows()
    {
        Check();
        return Create();
    }

    private static bool IsOf(FlowProtocol protocol, IPAddress address) => protocol switch
    {
        FlowProtocol.Icmp or FlowProtocol.Igmp => address.AddressFamily == AddressFamily.InterNetwork,
        FlowProtocol.IcmpV6 => address.AddressFamily == AddressFamily.InterNetworkV6,
        _ => true,
    };

    private static bool Fit(FlowProtocol protocol, IPAddress src, IPAddress dst) => src.AddressFamily == dst.AddressFamily && IsOf(protocol, src);

    private static IEnumerable<int> Numbers(IReadOnlyList<PortRange> ranges) =>
        ranges.SelectMany(each => Enumerable.Range(each.First, each.Last - each.First + 1));

    private void Check()
    {
        Require(Protocols.Count > 0, "No protocol is given.");
        Require(SrcAddresses.Count > 0, "No source address is given.");
        Require(DstAddresses.Count > 0, "No destination address is given.");
        CheckAddresses();
        CheckPorts();
        CheckInterface(InInterface);
        CheckInterface(OutInterface);
        Require(
            UserId is null || InInterface is null,
            $"A packet that comes in by {InInterface} has no user: only packets that the host itself sends have one. " +
                "Leave out the user or the interface that it comes in by.");
    }

    // A value that is in no flow is a mistake that would go unnoticed.
    private void CheckAddresses()
    {
        foreach (IPAddress address in SrcAddresses.Concat(DstAddresses))
        {
            Require(!address.IsIPv4MappedToIPv6, $"{address} is an IPv4 address in IPv6's notation: no packet has it. Use {address.MapToIPv4()}.");
            Require(address.AddressFamily != AddressFamily.InterNetworkV6 || address.ScopeId == 0,
                $"{address} names an interface. Leave out what follows the address, and name the interface itself.");
        }

        foreach (IPAddress src in SrcAddresses)
        {
            Require(DstAddresses.Any(dst => dst.AddressFamily == src.AddressFamily),
                $"The source {src} is {FamilyOf(src)}, and no destination is: both ends of a flow have the same family.");
        }

        foreach (IPAddress dst in DstAddresses)
        {
            Require(SrcAddresses.Any(src => src.AddressFamily == dst.AddressFamily),
                $"The destination {dst} is {FamilyOf(dst)}, and no source is: both ends of a flow have the same family.");
        }

        foreach (FlowProtocol protocol in Protocols)
        {
            string other = protocol switch { FlowProtocol.Icmp => " Use IcmpV6.", FlowProtocol.IcmpV6 => " Use Icmp.", _ => "" };
            string family = protocol == FlowProtocol.IcmpV6 ? "IPv6" : "IPv4";
            Require(SrcAddresses.Any(src => IsOf(protocol, src)), $"{protocol} is a protocol of {family}, and none of the addresses is.{other}");
        }

        foreach (IPAddress src in SrcAddresses)
        {
            Require(Protocols.Any(protocol => IsOf(protocol, src)), $"{Join(Protocols)} is not a protocol of {FamilyOf(src)}, the family of {src}.");
        }
    }

    private void CheckPorts()
    {
        FlowProtocol[] withPorts = [.. Protocols.Where(FlowKey.HasPorts)];
        bool hasIcmp = Protocols.Any(FlowKey.IsIcmp);
        Require(withPorts.Length == 0 || DstPorts.Count > 0, $"{Join(withPorts)} has ports, and no destination port is given.");
        Require(withPorts.Length > 0 || DstPorts.Count + SrcPorts.Count == 0, $"{Join(Protocols)} has no ports. Leave them out.");
        Require(hasIcmp || (IcmpType is null && IcmpCode is null), $"{Join(Protocols)} has no ICMP type and code. Leave them out, or use Icmp or IcmpV6.");
        Require(IcmpType is not null || IcmpCode is null, "The ICMP code is given without a type, and its meaning depends on the type.");
        Require(
            IcmpType is null || !(Protocols.Contains(FlowProtocol.Icmp) && Protocols.Contains(FlowProtocol.IcmpV6)),
            "An ICMP type means one thing for Icmp and another for IcmpV6. Describe the flows of each separately.");
    }

    private IEnumerable<Flow> Create()
    {
        foreach (FlowProtocol protocol in Protocols)
        {
            foreach (IPAddress src in SrcAddresses)
            {
                foreach (IPAddress dst in DstAddresses.Where(dst => Fit(protocol, src, dst)))
                {
                    if (!FlowKey.HasPorts(protocol))
                    {
                        yield return Create(protocol, src, null, dst, null);
                        continue;
                    }

                    foreach (int dstPort in Numbers(DstPorts))
                    {
                        foreach (int srcPort in Numbers(SrcPorts.Count == 0 ? [s_usualClientPort] : SrcPorts))
                        {
                            yield return Create(protocol, src, (ushort)srcPort, dst, (ushort)dstPort);
                        }
                    }
                }
            }
        }
    }

    private Flow Create(FlowProtocol protocol, IPAddress src, ushort? srcPort, IPAddress dst, ushort? dstPort)
    {
        bool isIcmp = FlowKey.IsIcmp(protocol);
        return new Flow
        {
            Protocol = protocol,
            Family = FamilyOf(src),
            SrcAddress = src,
            SrcPort = srcPort,
            DstAddress = dst,
            DstPort = dstPort,
            IcmpType = isIcmp ? IcmpType ?? Icmp.EchoRequest(protocol) : null,
            IcmpCode = isIcmp ? IcmpCode ?? 0 : null,
            IcmpId = isIcmp && Icmp.HasId(protocol, IcmpType ?? Icmp.EchoRequest(protocol)) ? (ushort)1 : null,
            InInterface = InInterface,
            OutInterface = OutInterface,
            PacketMark = PacketMark,
            Process = UserId is uint user ? new FlowProcess { Id = 0, Name = "", UserId = user, RealUserId = user } : null,
        };
    }

    private static void CheckInterface(string? name) => Require(
        name is null || (name.Length is > 0 and <= LongestInterfaceName
            && !name.Any(each => char.IsWhiteSpace(each) || each is '/' or ':') && name is not ("." or "..")),
        $"'{name}' cannot be the name of an interface: a name has 1 to {LongestInterfaceName} characters, without spaces, '/' and ':'.");

    private static FlowFamily FamilyOf(IPAddress address) => address.AddressFamily == AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6;

    private static string Join(IEnumerable<FlowProtocol> protocols) => string.Join(", ", protocols);

    private static void Require(bool condition, string message)
    {
        if (!condition)
        {
            throw new ArgumentException(message);
        }
    }
}
