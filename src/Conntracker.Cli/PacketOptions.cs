using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Conntracker.Cli;

/// <summary>The options of packet captures, and those that set the host's own addresses and services.</summary>
internal sealed class PacketOptions
{
    private readonly Option<string?> _interface = new("--interface", "-i")
    {
        Description = "Capture packets of this interface, or of any, instead of connection tracking events",
        HelpName = "IF",
    };

    private readonly Option<string?> _pcap = new("--pcap")
    {
        Description = "Read packets from a capture file (pcap, pcapng) instead of capturing; requires no privileges",
        HelpName = "FILE",
    };

    private readonly Option<string?> _filter = new("--filter")
    {
        Description = "With -i or --pcap: capture matching packets only; syntax of pcap-filter(7), such as 'tcp port 443'",
        HelpName = "EXPR",
    };

    private readonly Option<int[]> _incomingUdp = new("--incoming-udp")
    {
        Description = "With -i or --pcap: UDP port of a local service, whose traffic is always incoming; can be repeated",
        HelpName = "PORT",
        DefaultValueFactory = _ => [],
        CustomParser = ParsePorts,
    };

    private readonly Option<AddressRange[]> _local = new("--local")
    {
        Description = "Treat this address or subnet as local, in addition to the host's own; can be repeated",
        HelpName = "ADDRESS|SUBNET",
        DefaultValueFactory = _ => [],
        CustomParser = ParseRanges,
    };

    /// <summary>All of these options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => [_interface, _filter, _pcap, _incomingUdp, _local];

    /// <summary>The options that may conflict with others, each with the option of the engine that it sets.</summary>
    public IReadOnlyList<(string Name, Option Option)> ByProperty =>
    [
        (nameof(CaptureOptions.Interface), _interface),
        (nameof(CaptureOptions.Filter), _filter),
        (nameof(CaptureOptions.PcapPath), _pcap),
        (nameof(CaptureOptions.IncomingUdpPorts), _incomingUdp),
    ];

    /// <summary>The options that choose packets as the source.</summary>
    public string Choice => $"{_interface.Name} (-i) or {_pcap.Name}";

    /// <summary>The source of the flows.</summary>
    public CaptureSource Source(ParseResult parsed) => CaptureOptions.SourceOf(Interface(parsed), PcapPath(parsed));

    /// <summary>The interface; null when none was named.</summary>
    public string? Interface(ParseResult parsed) => parsed.GetValue(_interface);

    /// <summary>The capture file; null when none was named.</summary>
    public string? PcapPath(ParseResult parsed) => parsed.GetValue(_pcap);

    /// <summary>The filter; null for all packets.</summary>
    public string? Filter(ParseResult parsed) => parsed.GetValue(_filter);

    /// <summary>The UDP ports of the host's own services.</summary>
    public IReadOnlyList<int> IncomingUdpPorts(ParseResult parsed) => parsed.GetValue(_incomingUdp) ?? [];

    /// <summary>The addresses that count as the host's own.</summary>
    public IReadOnlyList<AddressRange> LocalAddresses(ParseResult parsed) => parsed.GetValue(_local) ?? [];

    private static int[] ParsePorts(ArgumentResult result)
    {
        List<int> ports = [];
        foreach (string text in result.Tokens.Select(token => token.Value))
        {
            if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int port) && port is >= 1 and <= ushort.MaxValue)
            {
                ports.Add(port);
            }
            else
            {
                result.AddError($"--incoming-udp: '{text}' is not a port from 1 to 65535.");
            }
        }

        return [.. ports];
    }

    private static AddressRange[] ParseRanges(ArgumentResult result)
    {
        List<AddressRange> ranges = [];
        foreach (string text in result.Tokens.Select(token => token.Value))
        {
            if (AddressRange.TryParse(text, out AddressRange? range))
            {
                ranges.Add(range);
            }
            else
            {
                result.AddError($"--local: '{text}' is not an address or a subnet. Use 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32.");
            }
        }

        return [.. ranges];
    }
}
