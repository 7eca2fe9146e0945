using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Addresses;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.RouteConstants;

namespace Conntracker.Core.Hosts;

/// <summary>Decodes the rules that choose a routing table (RTM_NEWRULE of rtnetlink).</summary>
internal sealed class RoutingRuleDecoder
{
    /// <summary>The names of the actions that a description can hold.</summary>
    public static readonly IReadOnlyList<string> Actions = ["lookup", "blackhole", "unreachable", "prohibit"];

    // A prefix length that is suppressed is a number from 0 on; the kernel has -1 for none.
    private const int NoPrefixLength = -1;

    private readonly HostOmissions _omissions;

    /// <summary>Creates a decoder.</summary>
    /// <param name="omissions">Counts what a description cannot hold.</param>
    public RoutingRuleDecoder(HostOmissions omissions) => _omissions = omissions;

    /// <summary>Decodes one message.</summary>
    public DecodeResult Decode(in NetlinkMessage source, out FirewallRoutingRule? found)
    {
        found = null;
        if (source.Type != RTM_NEWRULE)
        {
            return DecodeResult.Ignored;
        }

        if (source.Payload.Length < Unsafe.SizeOf<fib_rule_hdr>())
        {
            return DecodeResult.Malformed;
        }

        fib_rule_hdr header = MemoryMarshal.Read<fib_rule_hdr>(source.Payload);
        FlowFamily family = HostText.FamilyOf(header.family);
        if (family == FlowFamily.None)
        {
            return DecodeResult.Ignored;
        }

        int size = AddressBlock.BitsOf(family) / 8;
        string? from = header.src_len == 0 ? null : "";
        string? to = header.dst_len == 0 ? null : "";
        string? incoming = null;
        string? outgoing = null;
        uint priority = 0;
        uint table = header.table;
        uint? mark = null;
        uint? mask = null;
        int suppressed = NoPrefixLength;
        bool isPlain = header.tos == 0;
        NetlinkAttributeReader attributes = new(source.Payload[Unsafe.SizeOf<fib_rule_hdr>()..]);
        while (attributes.Read())
        {
            switch (attributes.Type)
            {
                case FRA_SRC when attributes.HasSize(size):
                    from = HostText.Prefix(family, AddressBits.Read(attributes.Value), header.src_len);
                    break;
                case FRA_DST when attributes.HasSize(size):
                    to = HostText.Prefix(family, AddressBits.Read(attributes.Value), header.dst_len);
                    break;
                case FRA_IIFNAME:
                    incoming = attributes.ReadText();
                    break;
                case FRA_OIFNAME:
                    outgoing = attributes.ReadText();
                    break;
                case FRA_PRIORITY:
                    priority = attributes.ReadUInt32();
                    break;
                case FRA_FWMARK:
                    mark = attributes.ReadUInt32();
                    break;
                case FRA_FWMASK:
                    mask = attributes.ReadUInt32();
                    break;
                case FRA_TABLE:
                    table = attributes.ReadUInt32();
                    break;
                case FRA_SUPPRESS_PREFIXLEN:
                    suppressed = (int)attributes.ReadUInt32();
                    break;
                case FRA_FLOW or FRA_PAD or FRA_PROTOCOL or FRA_SRC or FRA_DST:
                    break;
                default:
                    // Ports, users, VRFs and whatever later kernels know.
                    isPlain = false;
                    break;
            }
        }

        if (attributes.IsMalformed || from is "" || to is "" || Math.Max(header.src_len, header.dst_len) > size * 8)
        {
            return DecodeResult.Malformed;
        }

        if (!isPlain || ActionName(header.action) is not string action)
        {
            _omissions.AddRule(family, priority);
            return DecodeResult.Ignored;
        }

        found = new FirewallRoutingRule
        {
            Family = family,
            Priority = priority,
            Action = action,
            Table = table,
            Source = from,
            Destination = to,
            InInterface = incoming,
            OutInterface = outgoing,
            Mark = mark ?? (mask is null ? null : 0),
            MarkMask = mask ?? uint.MaxValue,
            IsInverted = (header.flags & FIB_RULE_INVERT) != 0,
            SuppressPrefixLength = suppressed < 0 ? null : suppressed,
        };
        return DecodeResult.Decoded;
    }

    private static string? ActionName(byte action) => action switch
    {
        FR_ACT_TO_TBL => "lookup",
        FR_ACT_BLACKHOLE => "blackhole",
        FR_ACT_UNREACHABLE => "unreachable",
        FR_ACT_PROHIBIT => "prohibit",
        _ => null,
    };
}
