using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace Conntracker;

/// <summary>
/// Flows that a policy does not accept although they were seen: an address or network at either end (<c>192.0.2.7</c>, <c>10.0.0.0/8</c>), a destination
/// port (<c>23</c>, <c>6000-6063</c>), a protocol (<c>sctp</c>), or a port of a protocol (<c>udp/161</c>).
/// </summary>
public sealed class FlowExclusion
{
    private readonly AddressRange? _addresses;
    private readonly FlowProtocol? _protocol;
    private readonly PortRange? _ports;
    private readonly string _text;

    private FlowExclusion(string text, AddressRange? addresses, FlowProtocol? protocol, PortRange? ports)
    {
        _text = text;
        _addresses = addresses;
        _protocol = protocol;
        _ports = ports;
    }

    /// <summary>Reads an exclusion.</summary>
    /// <exception cref="FormatException">The text is none of the forms.</exception>
    public static FlowExclusion Parse(string text) => TryParse(text, out FlowExclusion? exclusion)
        ? exclusion
        : throw new FormatException(
            $"'{text}' does not say what to exclude. Use an address (192.0.2.7), a network (10.0.0.0/8), a port (23, 6000-6063), a protocol (sctp) "
            + "or both (udp/161).");

    /// <summary>Reads an exclusion; false when the text is none of the forms.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out FlowExclusion? exclusion)
    {
        string[] parts = text?.Split('/') ?? [];
        exclusion = null;
        if (AddressRange.TryParse(text, out AddressRange? addresses))
        {
            exclusion = new FlowExclusion(text!, addresses, null, null);
        }
        else if (PortRange.TryParse(text, out PortRange? ports))
        {
            exclusion = new FlowExclusion(text!, null, null, ports);
        }
        else if (parts.Length is 1 or 2 && TryProtocol(parts[0], isAlone: parts.Length == 1, out FlowProtocol protocol))
        {
            PortRange? ofProtocol = null;
            exclusion = parts.Length == 1 || PortRange.TryParse(parts[1], out ofProtocol) ? new FlowExclusion(text!, null, protocol, ofProtocol) : null;
        }

        return exclusion is not null;
    }

    /// <summary>Whether a flow is excluded.</summary>
    public bool Matches(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        if (_addresses is not null)
        {
            return _addresses.Contains(flow.SrcAddress) || _addresses.Contains(flow.DstAddress)
                || (flow.ReplySrcAddress is not null && _addresses.Contains(flow.ReplySrcAddress));
        }

        return (_protocol is null || flow.Protocol == _protocol)
            && (_ports is null || Contains(_ports, flow.DstPort) || Contains(_ports, flow.ReplySrcPort));
    }

    /// <summary>The text that it was read from.</summary>
    public override string ToString() => _text;

    private static bool Contains(PortRange ports, ushort? port) => port is not null && ports.Contains(port.Value);

    // A number alone is a port.
    private static bool TryProtocol(string text, bool isAlone, out FlowProtocol protocol)
    {
        if (!isAlone && byte.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out byte number))
        {
            protocol = (FlowProtocol)number;
            return true;
        }

        protocol = default;
        return text.Length > 0 && char.IsAsciiLetter(text[0]) && Enum.TryParse(text, ignoreCase: true, out protocol) && Enum.IsDefined(protocol);
    }
}
