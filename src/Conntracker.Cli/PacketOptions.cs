using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Conntracker.Cli;

/// <summary>The options of captures from packets, and those that tell the host's own addresses and services.</summary>
internal sealed class PacketOptions
{
    private readonly Option<string?> _interface = new("--interface", "-i") { Description = "Capture packets of this interface instead of connection tracking's events; any: of every interface", HelpName = "IF" };
    private readonly Option<string?> _pcap = new("--pcap") { Description = "Read packets of a capture file (pcap, pcapng) to its end, instead of capturing; needs no privilege", HelpName = "FILE" };
    private readonly Option<string?> _filter = new("--filter") { Description = "With -i or --pcap: which packets are captured, as pcap-filter(7) has it: 'tcp port 443'", HelpName = "EXPR" };
    private readonly Option<int[]> _incomingUdp = new("--incoming-udp") { Description = "With -i or --pcap: a UDP port of this host's own services, whose traffic always counts as incoming; can be repeated", HelpName = "PORT", DefaultValueFactory = _ => [], CustomParser = ParsePorts };
    private readonly Option<AddressRange[]> _local = new("--local") { Description = "An address or subnet that counts as the host's own beside those that it has; can be repeated", HelpName = "ADDRESS|SUBNET", DefaultValueFactory = _ => [], CustomParser = ParseRanges };

    /// <summary>All of them, in the order of the help.</summary>
    public IReadOnlyList<Option> All => [_interface, _filter, _pcap, _incomingUdp, _local];

    /// <summary>Those that a replay cannot have: it reads what was recorded.</summary>
    public IReadOnlyList<Option> NotOfReplays => [_interface, _filter, _pcap];

    /// <summary>What the flows come from.</summary>
    public CaptureSource Source(ParseResult parsed) => (Interface(parsed) ?? PcapPath(parsed)) is null ? CaptureSource.Conntrack : CaptureSource.Packet;

    /// <summary>The interface; null when none was named.</summary>
    public string? Interface(ParseResult parsed) => parsed.GetValue(_interface);

    /// <summary>The capture file; null when none was named.</summary>
    public string? PcapPath(ParseResult parsed) => parsed.GetValue(_pcap);

    /// <summary>The filter; null for all packets.</summary>
    public string? Filter(ParseResult parsed) => parsed.GetValue(_filter);

    /// <summary>The ports of own services.</summary>
    public IReadOnlyList<int> IncomingUdpPorts(ParseResult parsed) => parsed.GetValue(_incomingUdp) ?? [];

    /// <summary>The addresses that count as the host's own.</summary>
    public IReadOnlyList<AddressRange> LocalAddresses(ParseResult parsed) => parsed.GetValue(_local) ?? [];

    /// <summary>Refuses what does not go together.</summary>
    /// <param name="command">What was typed.</param>
    /// <param name="ofKernel">Options that only connection tracking and the firewall's rules can serve.</param>
    /// <param name="ofLive">Options that go with a host that is there, not with a file.</param>
    /// <param name="replay">The option for replays.</param>
    public void Validate(CommandResult command, IReadOnlyList<Option> ofKernel, IReadOnlyList<Option> ofLive, Option replay)
    {
        bool hasInterface = IsGiven(command, _interface);
        bool hasFile = IsGiven(command, _pcap);
        bool replays = IsGiven(command, replay);
        if (hasInterface || hasFile)
        {
            string source = hasFile ? _pcap.Name : _interface.Name;
            foreach (Option option in ofKernel.Where(each => IsGiven(command, each)))
            {
                command.AddError($"{option.Name} does not go with {source}: it needs the kernel's connection tracking, and here packets are the source. Packets are always counted.");
            }
        }

        foreach (Option option in ofLive.Append(_interface).Where(each => hasFile && IsGiven(command, each)))
        {
            command.AddError($"{option.Name} does not go with {_pcap.Name}: a capture file is read to its end, and nothing else.");
        }

        // A replay of packets can be told the ports anew; it has no filter, and that was said already.
        foreach (Option option in new Option[] { _filter, _incomingUdp }.Where(each => !hasInterface && !hasFile && !replays && IsGiven(command, each)))
        {
            command.AddError($"{option.Name} goes with {_interface.Name} (-i) or {_pcap.Name}: without them connection tracking is the source, not packets.");
        }
    }

    private static bool IsGiven(CommandResult command, Option option) => command.GetResult(option) is { Implicit: false };

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
                result.AddError($"--local: '{text}' is neither an address nor a subnet. Write 192.0.2.7, 10.0.0.0/8 or 2001:db8::/32.");
            }
        }

        return [.. ranges];
    }
}
