using System.Net;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Usage;

/// <summary>
/// Makes flows that a rule matches, of its own conditions: the first and the last value of each range, and usual values for what it leaves open.
/// </summary>
internal sealed class ProbeFlows
{
    private const int MaximumFlows = 64;
    private const int MaximumValues = 4;

    private static readonly FlowProtocol[] s_usualProtocols = [FlowProtocol.Tcp, FlowProtocol.Udp];
    private readonly FirewallHost _host;
    private readonly Dictionary<(TraceEngine, string, string, string), string?> _hooks = [];

    /// <param name="host">The host that the flows are for.</param>
    /// <param name="rules">All rules: they show from which hooks a chain is reached.</param>
    public ProbeFlows(FirewallHost host, IReadOnlyList<FirewallRule> rules)
    {
        _host = host;
        foreach (FirewallRule rule in rules)
        {
            _hooks.TryAdd((rule.Engine, rule.Family, rule.Table, rule.Chain), rule.Hook);
        }

        // From base chains along the jumps; chains are nested 16 deep at most.
        bool hasChanged = true;
        for (int i = 0; i < 16 && hasChanged; i++)
        {
            hasChanged = false;
            foreach (FirewallRule rule in rules.Where(rule => rule.Verdict is ['j', 'u', 'm', 'p', ' ', ..] or ['g', 'o', 't', 'o', ' ', ..]))
            {
                (TraceEngine, string, string, string) target = (rule.Engine, rule.Family, rule.Table, rule.Verdict![5..]);
                if (_hooks[(rule.Engine, rule.Family, rule.Table, rule.Chain)] is string hook && _hooks.TryGetValue(target, out string? known) && known is null)
                {
                    _hooks[target] = hook;
                    hasChanged = true;
                }
            }
        }
    }

    /// <summary>The flows; none where it is not known how to make them, or a new connection cannot match.</summary>
    public IReadOnlyList<Flow> Of(FirewallRule rule)
    {
        RuleMatch match = RuleMatch.Of(rule);
        bool isForOthers = match.Numbers.TryGetValue(RuleField.State, out NumberRanges? states) && !states.Meets(NumberRanges.Of(3, 3));
        if (!match.IsUnderstood || !match.IsExact || isForOthers)
        {
            return [];
        }

        bool isIPv4 = !match.Numbers.TryGetValue(RuleField.Version, out NumberRanges? version) || version.Meets(NumberRanges.Of(4, 4));
        FlowFamily family = isIPv4 ? FlowFamily.IPv4 : FlowFamily.IPv6;
        string? hook = _hooks.GetValueOrDefault((rule.Engine, rule.Family, rule.Table, rule.Chain));
        (IPAddress? from, IPAddress? to, string? inside) = Ends(match, hook, family);
        return from is null || to is null ? [] : Flows(match, family, from, to, inside);
    }

    private static List<Flow> Flows(RuleMatch match, FlowFamily family, IPAddress from, IPAddress to, string? inside)
    {
        List<Flow> flows = [];
        foreach (FlowProtocol protocol in Protocols(match, family))
        {
            FlowDescription description = new()
            {
                Protocols = [protocol],
                SrcAddresses = Addresses(match, RuleField.SrcAddress, from, family),
                DstAddresses = Addresses(match, RuleField.DstAddress, to, family),
                SrcPorts = HasPorts(protocol) ? Ports(match, RuleField.SrcPort) : [],
                DstPorts = !HasPorts(protocol) ? [] : Ports(match, RuleField.DstPort) is { Count: > 0 } ports ? ports : [new PortRange(80)],
                InInterface = inside,
                IcmpType = Values(match, RuleField.IcmpType).Select(value => (byte?)value).FirstOrDefault(),
            };
            flows.AddRange(description.ToFlows().Take(MaximumFlows - flows.Count));
        }

        return flows;
    }

    private static bool HasPorts(FlowProtocol protocol) =>
        protocol is FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.Sctp or FlowProtocol.Dccp or FlowProtocol.UdpLite;

    private static IEnumerable<FlowProtocol> Protocols(RuleMatch match, FlowFamily family)
    {
        FlowProtocol[] usual = [.. s_usualProtocols, family == FlowFamily.IPv4 ? FlowProtocol.Icmp : FlowProtocol.IcmpV6];
        return match.Numbers.TryGetValue(RuleField.Protocol, out _)
            ? Values(match, RuleField.Protocol).Select(number => (FlowProtocol)(byte)number)
            : usual;
    }

    private static List<PortRange> Ports(RuleMatch match, RuleField field) =>
        [.. Values(match, field).Select(value => new PortRange((ushort)value))];

    private static List<IPAddress> Addresses(RuleMatch match, RuleField field, IPAddress usual, FlowFamily family)
    {
        // The usual address where the rule allows it: others may have no route.
        if (!match.Numbers.TryGetValue(field, out NumberRanges? numbers) || numbers.Covers(NumberRanges.Of(Number(usual, family), Number(usual, family))))
        {
            return [usual];
        }

        UInt128 offset = family == FlowFamily.IPv4 ? RuleMatch.AllIPv4.First : 0;
        return [.. Values(match, field).Select(value => new AddressBits((ulong)((value - offset) >> 64), (ulong)(value - offset)).ToIPAddress(family))];
    }

    private static IEnumerable<UInt128> Values(RuleMatch match, RuleField field) => match.Numbers.TryGetValue(field, out NumberRanges? numbers)
        ? numbers.Ranges.SelectMany(range => (UInt128[])[range.First, range.Last]).Distinct().Take(MaximumValues)
        : [];

    private static UInt128 Number(IPAddress address, FlowFamily family) =>
        AddressBits.From(address).ToUInt128() + (family == FlowFamily.IPv4 ? RuleMatch.AllIPv4.First : 0);

    // Source, destination and incoming interface of a usual packet at a hook. Nothing for hooks and interfaces for which none is known.
    private (IPAddress? From, IPAddress? To, string? Inside) Ends(RuleMatch match, string? hook, FlowFamily family)
    {
        bool IsFree(RuleField name, RuleField index, string value) =>
            (!match.Names.TryGetValue(name, out NamePatterns? names) || names.Covers(new NamePatterns([value], IsNegated: false)))
            && (!match.Names.TryGetValue(index, out NamePatterns? indexes) || indexes.Covers(new NamePatterns([value], IsNegated: false)));
        List<(string Name, IPAddress Own, IPAddress Neighbour)> links = Links(family);
        List<(string Name, IPAddress Own, IPAddress Neighbour)> incoming = links.FindAll(link => IsFree(RuleField.InName, RuleField.InIndex, link.Name));
        List<(string Name, IPAddress Own, IPAddress Neighbour)> outgoing = links.FindAll(link => IsFree(RuleField.OutName, RuleField.OutIndex, link.Name));
        switch (hook)
        {
            case "input" or "prerouting" when incoming.Count > 0:
                return (incoming[0].Neighbour, incoming[0].Own, incoming[0].Name);
            case "output" or "postrouting" when outgoing.Count > 0:
                return (outgoing[0].Own, outgoing[0].Neighbour, null);
            case "forward" when incoming.Count > 0 && outgoing.Exists(link => link.Name != incoming[0].Name):
                return (incoming[0].Neighbour, outgoing.First(link => link.Name != incoming[0].Name).Neighbour, incoming[0].Name);
            default:
                return default;
        }
    }

    // Each interface with an own address and another address of the same network.
    private List<(string Name, IPAddress Own, IPAddress Neighbour)> Links(FlowFamily family)
    {
        List<(string, IPAddress, IPAddress)> links = [];
        foreach (FirewallInterface each in _host.Interfaces.Where(each => each.IsUp && each.Name != "lo"))
        {
            foreach (string text in each.Addresses)
            {
                string[] parts = text.Split('/');
                if (!AddressRange.TryParse(text, out AddressRange? range) || range.Family != family || !IPAddress.TryParse(parts[0], out IPAddress? own))
                {
                    continue;
                }

                UInt128 number = AddressBits.From(own).ToUInt128();
                UInt128 other = number + 1 < range.Block.Last.ToUInt128() ? number + 1 : number - 1;
                if (other > range.Block.First.ToUInt128() && other != number && !own.IsIPv6LinkLocal)
                {
                    links.Add((each.Name, own, new AddressBits((ulong)(other >> 64), (ulong)other).ToIPAddress(family)));
                }
            }
        }

        return links;
    }
}
