using System.Net;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.Model;

namespace Conntracker.Core.Export.Tree;

/// <summary>An entry of a tree: the properties of a flow that its path shows. Equal entries are one file.</summary>
internal readonly record struct TreeEntry
{
    /// <summary>The coarsest level of <see cref="Fold"/>.</summary>
    public const int LastLevel = 3;

    /// <summary>The first-level directory.</summary>
    public TreeSection Section { get; init; }

    /// <summary>The second-level directory.</summary>
    public FlowProtocol Protocol { get; init; }

    /// <summary>The family of its addresses.</summary>
    public FlowFamily Family { get; init; }

    /// <summary>Whether it has ports, or an ICMP type and code.</summary>
    public bool HasPorts { get; init; }

    /// <summary>The originator's end.</summary>
    public TreeEnd Src { get; init; }

    /// <summary>The end that the originator sent to.</summary>
    public TreeEnd Dst { get; init; }

    /// <summary>The entry of a flow.</summary>
    /// <exception cref="ArgumentException">An address is not of the flow's family.</exception>
    public static TreeEntry Of(Flow flow, InternetFolding folding)
    {
        FlowFamily family = flow.Family == FlowFamily.None ? AddressText.Family(flow.SrcAddress) : flow.Family;
        bool isIcmp = FlowKey.IsIcmp(flow.Protocol);
        return Of(flow.Direction, flow.Folding, new TreeEntry
        {
            Protocol = flow.Protocol,
            Family = family,
            HasPorts = FlowKey.HasPorts(flow.Protocol) || (isIcmp && flow.IcmpType is not null && flow.IcmpCode is not null),
            Src = new TreeEnd(Bits(flow.SrcAddress, family), TreeEnd.Whole(family), (isIcmp ? flow.IcmpType : flow.SrcPort) ?? TreeEnd.NoPort),
            Dst = new TreeEnd(Bits(flow.DstAddress, family), TreeEnd.Whole(family), (isIcmp ? flow.IcmpCode : flow.DstPort) ?? TreeEnd.NoPort),
        }, folding);
    }

    /// <summary>The entry of a flow in the table.</summary>
    public static TreeEntry Of(ref readonly FlowRecord record, FlowDirection direction, InternetFolding folding)
    {
        ref readonly FlowKey key = ref record.Key;
        bool isIcmp = FlowKey.IsIcmp(key.Protocol);
        bool isPortFolded = record.Folding != FlowFolding.None && key.Original.SrcPort == 0;
        int src = isIcmp ? key.Original.IcmpType : isPortFolded ? TreeEnd.NoPort : key.Original.SrcPort;
        int dst = isIcmp ? key.Original.IcmpCode : record.Folding == FlowFolding.Protocol ? TreeEnd.NoPort : key.Original.DstPort;
        return Of(direction, record.Folding, new TreeEntry
        {
            Protocol = key.Protocol,
            Family = key.Family,
            HasPorts = isIcmp || FlowKey.HasPorts(key.Protocol),
            Src = new TreeEnd(key.Original.Src, TreeEnd.Whole(key.Family), src),
            Dst = new TreeEnd(key.Original.Dst, TreeEnd.Whole(key.Family), dst),
        }, folding);
    }

    /// <summary>
    /// The entry aggregated to a level. At 1 the far addresses are subnets of 24 bits (IPv6: 64); at 2 of 16 (48), in <c>else</c> those of both ends,
    /// without the client's port; at 3 only section, protocol and family are left. The entry may already be as coarse.
    /// </summary>
    /// <param name="level">0 to <see cref="LastLevel"/>.</param>
    public TreeEntry Fold(int level)
    {
        if (level is 0 or LastLevel)
        {
            return level == 0 ? this : Everything(Section, Protocol, Family);
        }

        bool isIPv4 = Family == FlowFamily.IPv4;
        byte prefix = level == 1 ? (byte)(isIPv4 ? 24 : 64) : (byte)(isIPv4 ? 16 : 48);
        TreeEnd src = Src.Widen(Family, prefix);
        return this with
        {
            Src = Section == TreeSection.Out ? Src : Section == TreeSection.Else && !FlowKey.IsIcmp(Protocol) ? src with { Port = TreeEnd.NoPort } : src,
            Dst = Section == TreeSection.In ? Dst : Dst.Widen(Family, prefix),
        };
    }

    /// <summary>The flow that the entry describes. Properties that no entry has are null.</summary>
    public Flow ToFlow()
    {
        bool isIcmp = FlowKey.IsIcmp(Protocol);
        return new Flow
        {
            Protocol = Protocol,
            Family = Family,
            SrcAddress = Src.Address.ToIPAddress(Family),
            DstAddress = Dst.Address.ToIPAddress(Family),
            SrcPort = isIcmp || !HasPorts ? null : Port(Src),
            DstPort = isIcmp || !HasPorts ? null : Port(Dst),
            IcmpType = isIcmp && HasPorts ? (byte)Src.Port : null,
            IcmpCode = isIcmp && HasPorts ? (byte)Dst.Port : null,
            Direction = Section switch
            {
                TreeSection.In => FlowDirection.In,
                TreeSection.Out => FlowDirection.Out,
                _ => FlowDirection.Unknown,
            },
            Folding = Folding(),
        };
    }

    /// <inheritdoc/>
    public bool Equals(TreeEntry other) =>
        Src.Address == other.Src.Address && Dst.Address == other.Dst.Address && Src.Port == other.Src.Port && Dst.Port == other.Dst.Port
        && Src.Prefix == other.Src.Prefix && Dst.Prefix == other.Dst.Prefix && Section == other.Section && Protocol == other.Protocol
        && Family == other.Family && HasPorts == other.HasPorts;

    // The library seeds it at random in each process: a sender of packets must not be able to choose entries that share a bucket.
    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(
        Src.Address.High, Src.Address.Low, Dst.Address.High, Dst.Address.Low, ((ulong)(uint)Src.Port << 32) | (uint)Dst.Port,
        (Src.Prefix << 8) | Dst.Prefix, ((int)Section << 16) | ((int)Protocol << 8) | (int)Family);

    private static TreeEntry Of(FlowDirection direction, FlowFolding folded, TreeEntry entry, InternetFolding folding)
    {
        TreeSection section = direction switch
        {
            FlowDirection.In => TreeSection.In,
            FlowDirection.Out => TreeSection.Out,
            _ => TreeSection.Else,
        };
        bool noSrc = entry.Src.Address == default;
        bool noDst = entry.Dst.Address == default;
        if (folded == FlowFolding.Protocol && noSrc && noDst)
        {
            return Everything(section, entry.Protocol, entry.Family);
        }

        bool dropsPort = section != TreeSection.Else && !FlowKey.IsIcmp(entry.Protocol);
        TreeEnd src = dropsPort || !entry.HasPorts ? entry.Src with { Port = TreeEnd.NoPort } : entry.Src;
        TreeEnd dst = entry.HasPorts ? entry.Dst : entry.Dst with { Port = TreeEnd.NoPort };
        bool isInternet = folded == FlowFolding.Internet;
        if (section == TreeSection.In && ((isInternet && noSrc) || InternetAggregator.FoldsSource(folding, direction, entry.Family, src.Address)))
        {
            src = new TreeEnd(default, TreeEnd.Internet, src.Port);
        }
        else if (folded == FlowFolding.Client && noSrc)
        {
            src = src with { Prefix = 0 };
        }

        if (section == TreeSection.Out && ((isInternet && noDst) || InternetAggregator.FoldsDestination(folding, direction, entry.Family, dst.Address)))
        {
            dst = new TreeEnd(default, TreeEnd.Internet, dst.Port);
        }

        return (entry with { Section = section, Src = src, Dst = dst }).Fold(folded switch
        {
            FlowFolding.Subnet => 1,
            FlowFolding.WideSubnet => 2,
            _ => 0,
        });
    }

    private static TreeEntry Everything(TreeSection section, FlowProtocol protocol, FlowFamily family) => new()
    {
        Section = section,
        Protocol = protocol,
        Family = family,
        HasPorts = FlowKey.HasPorts(protocol),
        Src = new TreeEnd(default, 0, TreeEnd.NoPort),
        Dst = new TreeEnd(default, 0, TreeEnd.NoPort),
    };

    private static AddressBits Bits(IPAddress address, FlowFamily family)
    {
        UInt128 number = AddressText.ToNumber(address, family);
        return new AddressBits((ulong)(number >> 64), (ulong)number);
    }

    private static ushort? Port(TreeEnd end) => end.Port == TreeEnd.NoPort ? null : (ushort)end.Port;

    private FlowFolding Folding()
    {
        byte whole = TreeEnd.Whole(Family);
        bool hasSubnet = IsSubnet(Src, whole) || IsSubnet(Dst, whole);
        bool hasWideSubnet = IsWideSubnet(Src, whole) || IsWideSubnet(Dst, whole);
        return Src.Prefix == TreeEnd.Internet || Dst.Prefix == TreeEnd.Internet ? FlowFolding.Internet
            : Src.Prefix == 0 && Dst.Prefix == 0 && Dst.Port == TreeEnd.NoPort ? FlowFolding.Protocol
            : hasWideSubnet ? FlowFolding.WideSubnet
            : hasSubnet || Dst.Prefix == 0 ? FlowFolding.Subnet
            : Src.Prefix == 0 ? FlowFolding.Client
            : HasPorts && (Src.Port == TreeEnd.NoPort || (Section != TreeSection.Else && FlowKey.IsIcmp(Protocol))) ? FlowFolding.ClientPort
            : FlowFolding.None;
    }

    private static bool IsSubnet(TreeEnd end, byte whole) => end.Prefix == (whole == 32 ? 24 : 64);

    private static bool IsWideSubnet(TreeEnd end, byte whole) => end.Prefix == (whole == 32 ? 16 : 48);
}
