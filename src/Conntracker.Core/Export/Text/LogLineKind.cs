using System.Buffers.Text;
using Conntracker.Core.Flows;

namespace Conntracker.Core.Export.Text;

/// <summary>The label of a text log's line, <c>TCPv4</c>: protocol and family. Lines are counted and sorted within their label.</summary>
internal readonly record struct LogLineKind(FlowProtocol Protocol, FlowFamily Family)
{
    /// <summary>The width of a label in columns; it is right-aligned.</summary>
    public const int Width = 6;

    /// <summary>How many labels there are: every protocol number, for two families.</summary>
    public const int Count = 512;

    private const int NamedFirst = 6;

    /// <summary>The label's index in a table of <see cref="Count"/> elements: by protocol number, IPv4 before IPv6.</summary>
    public int Index => ((int)Protocol << 1) | (Family == FlowFamily.IPv6 ? 1 : 0);

    /// <summary>The label's rank in a log: the six that the first generation had, then the others by number.</summary>
    public int Rank => (Protocol, Family) switch
    {
        (FlowProtocol.Tcp, FlowFamily.IPv4) => 0,
        (FlowProtocol.Udp, FlowFamily.IPv4) => 1,
        (FlowProtocol.Icmp, FlowFamily.IPv4) => 2,
        (FlowProtocol.Tcp, FlowFamily.IPv6) => 3,
        (FlowProtocol.Udp, FlowFamily.IPv6) => 4,
        (FlowProtocol.IcmpV6, FlowFamily.IPv6) => 5,
        _ => NamedFirst + Index,
    };

    /// <summary>True when lines print ports.</summary>
    public bool HasPorts => FlowKey.HasPorts(Protocol);

    /// <summary>True when lines print an ICMP type and code: ICMP with IPv4, ICMPv6 with IPv6.</summary>
    public bool IsIcmp => this is { Protocol: FlowProtocol.Icmp, Family: FlowFamily.IPv4 } or { Protocol: FlowProtocol.IcmpV6, Family: FlowFamily.IPv6 };

    /// <summary>Reads a label in its columns. Only the spelling that a writer uses is a label.</summary>
    public static bool TryParse(ReadOnlySpan<byte> columns, out LogLineKind label)
    {
        label = default;
        if (columns.Length != Width || columns[^2] != 'v' || columns[^1] is not ((byte)'4' or (byte)'6'))
        {
            return false;
        }

        FlowFamily family = columns[^1] == '4' ? FlowFamily.IPv4 : FlowFamily.IPv6;
        ReadOnlySpan<byte> name = columns[..^2].TrimStart((byte)' ');
        if (Named(name) is FlowProtocol named)
        {
            label = new LogLineKind(named, family);
        }
        else if (name.SequenceEqual("ICMP"u8))
        {
            label = new LogLineKind(family == FlowFamily.IPv4 ? FlowProtocol.Icmp : FlowProtocol.IcmpV6, family);
        }
        else if (name.Length > 1 && name[0] == 'P' && Utf8Parser.TryParse(name[1..], out byte number, out int used) && used == name.Length - 1)
        {
            label = new LogLineKind((FlowProtocol)number, family);
        }
        else
        {
            return false;
        }

        return columns.SequenceEqual(label.ToColumns());
    }

    /// <summary>The label as a line prints it, six columns wide.</summary>
    public byte[] ToColumns()
    {
        byte[] columns = new byte[Width];
        System.Text.Encoding.ASCII.GetBytes(ToString().PadLeft(Width), columns);
        return columns;
    }

    /// <summary>The label without padding.</summary>
    public override string ToString()
    {
        string name = Protocol switch
        {
            FlowProtocol.Tcp => "TCP",
            FlowProtocol.Udp => "UDP",
            FlowProtocol.Sctp => "SCTP",
            FlowProtocol.Dccp => "DCCP",
            FlowProtocol.Gre => "GRE",
            FlowProtocol.UdpLite => "UDPL",
            _ when IsIcmp => "ICMP",
            _ => $"P{(byte)Protocol}",
        };
        return Family == FlowFamily.IPv6 ? name + "v6" : name + "v4";
    }

    private static FlowProtocol? Named(ReadOnlySpan<byte> name) => name switch
    {
        _ when name.SequenceEqual("TCP"u8) => FlowProtocol.Tcp,
        _ when name.SequenceEqual("UDP"u8) => FlowProtocol.Udp,
        _ when name.SequenceEqual("SCTP"u8) => FlowProtocol.Sctp,
        _ when name.SequenceEqual("DCCP"u8) => FlowProtocol.Dccp,
        _ when name.SequenceEqual("GRE"u8) => FlowProtocol.Gre,
        _ when name.SequenceEqual("UDPL"u8) => FlowProtocol.UdpLite,
        _ => null,
    };
}
