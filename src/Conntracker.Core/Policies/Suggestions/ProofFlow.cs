using System.Net;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>A flow as the filter chains see it: with the destination after NAT, and with an address wherever a folding removed one.</summary>
/// <param name="Access">What distinguishes it for rules.</param>
/// <param name="Flow">The flow to test.</param>
/// <param name="Original">The flow that was seen.</param>
internal sealed record ProofFlow(PolicyAccess Access, Flow Flow, Flow Original)
{
    private const ushort ClientPort = 40000;

    // Of the blocks for documentation: addresses that stand for any.
    private static readonly IPAddress s_any4 = new([203, 0, 113, 77]);
    private static readonly IPAddress s_any6 = IPAddress.Parse("2001:db8:ffff::77");

    /// <summary>The flow that stands for a sample.</summary>
    public static ProofFlow Of(PolicySample sample) => new(sample.Access, Make(sample.Access, sample.Flow), sample.Flow);

    /// <summary>A flow of an access; what the access does not say is taken from another flow.</summary>
    public static Flow Make(PolicyAccess access, Flow like)
    {
        PolicyScope scope = access.Scope;
        bool hasPorts = scope.HasPorts;
        bool hasNoAddress = scope.Direction == FlowDirection.Out && OwnAddresses.IsUnspecified(access.Source);
        IPAddress source = AddressOf(hasNoAddress ? ProofHost.Spare(scope.Family) : access.Source);
        IPAddress destination = AddressOf(access.Destination);
        ushort? from = hasPorts ? like.SrcPort ?? ClientPort : null;
        ushort? to = hasPorts ? (ushort)access.Service : null;
        return new Flow
        {
            Protocol = scope.Protocol,
            Family = scope.Family,
            SrcAddress = source,
            SrcPort = from,
            DstAddress = destination,
            DstPort = to,
            IcmpType = scope.IsIcmp ? (byte)access.Service : null,
            IcmpCode = scope.IsIcmp ? like.IcmpCode ?? 0 : null,
            IcmpId = scope.IsIcmp ? like.IcmpId ?? 1 : null,
            ReplySrcAddress = destination,
            ReplySrcPort = to,
            ReplyDstAddress = source,
            ReplyDstPort = from,
            InInterface = scope.InInterface,
            OutInterface = scope.OutInterface,
            Direction = scope.Direction,
            Confirmed = like.Confirmed,
            Verdict = FlowVerdict.Accepted,
        };
    }

    private static IPAddress AddressOf(AddressBlock block)
    {
        if (block.Prefix == 0)
        {
            return block.Family == FlowFamily.IPv4 ? s_any4 : s_any6;
        }

        AddressBits first = block.Size > 1 ? block.First with { Low = block.First.Low + 1 } : block.First;
        return first.ToIPAddress(block.Family);
    }
}
