using System.Net;
using System.Net.Sockets;

namespace Conntracker.Tests.Unit.Policies.Suggestions;

/// <summary>Flows for policies, answered unless a test says otherwise.</summary>
internal static class PolicyFlow
{
    public static readonly DateTimeOffset Noon = new(2026, 3, 1, 12, 0, 0, TimeSpan.Zero);

    public static Flow In(string from, string to, int port, FlowProtocol protocol = FlowProtocol.Tcp) => Of(FlowDirection.In, protocol, from, to, port);

    public static Flow Out(string from, string to, int port, FlowProtocol protocol = FlowProtocol.Tcp) => Of(FlowDirection.Out, protocol, from, to, port);

    public static Flow Forward(string from, string to, int port, FlowProtocol protocol = FlowProtocol.Tcp) =>
        Of(FlowDirection.Forward, protocol, from, to, port);

    public static Flow Of(FlowDirection direction, FlowProtocol protocol, string from, string to, int service, int clientPort = 40000)
    {
        bool isIcmp = protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6;
        bool hasPorts = protocol is FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.Sctp or FlowProtocol.Dccp or FlowProtocol.UdpLite;
        IPAddress source = IPAddress.Parse(from);
        IPAddress destination = IPAddress.Parse(to);
        return new Flow
        {
            Direction = direction,
            Protocol = protocol,
            Family = source.AddressFamily == AddressFamily.InterNetwork ? FlowFamily.IPv4 : FlowFamily.IPv6,
            SrcAddress = source,
            DstAddress = destination,
            SrcPort = hasPorts ? (ushort)clientPort : null,
            DstPort = hasPorts ? (ushort)service : null,
            IcmpType = isIcmp ? (byte)service : null,
            IcmpCode = isIcmp ? (byte)0 : null,
            ReplySrcAddress = destination,
            ReplySrcPort = hasPorts ? (ushort)service : null,
            ReplyDstAddress = source,
            ReplyDstPort = hasPorts ? (ushort)clientPort : null,
            Confirmed = true,
            State = FlowState.Assured,
            FirstSeen = Noon,
            LastSeen = Noon.AddMinutes(5),
        };
    }

    public static Flow With(this Flow flow, Action<Flow> change)
    {
        change(flow);
        return flow;
    }

    public static FirewallPolicy Policy(FirewallPolicyOptions options, params Flow[] flows) => FirewallPolicy.Suggest(flows, options);

    public static FirewallPolicy Policy(params Flow[] flows) => Policy(new FirewallPolicyOptions(), flows);

    /// <summary>The rules that flows gave, as nft writes them, with the chain before each.</summary>
    public static string[] Rules(this FirewallPolicy policy) => [.. policy.Rules.Select(each => $"{each.Direction}: {each}")];
}
