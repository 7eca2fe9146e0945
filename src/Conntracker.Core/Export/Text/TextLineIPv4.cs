namespace Conntracker.Core.Export.Text;

/// <summary>An IPv4 line in 24 bytes, its tuple as two numbers that compare in the log's order.</summary>
internal struct TextLineIPv4 : ITextLine<TextLineIPv4>
{
    private ulong _addresses;
    private uint _ports;

    /// <inheritdoc/>
    public int Process { readonly get; private set; }

    /// <inheritdoc/>
    public int Trace { readonly get; set; }

    /// <inheritdoc/>
    public bool Confirmed { readonly get; set; }

    /// <inheritdoc/>
    public static TextLineIPv4 Pack(in TextLine line) => new()
    {
        _addresses = ((ulong)line.Source << 32) | (uint)line.Destination,
        _ports = ((uint)line.SourcePort << 16) | line.DestinationPort,
        Process = line.Process,
        Trace = line.Trace,
        Confirmed = line.Confirmed,
    };

    /// <inheritdoc/>
    public readonly TextLine Unpack() => new()
    {
        Source = _addresses >> 32,
        Destination = (uint)_addresses,
        SourcePort = (ushort)(_ports >> 16),
        DestinationPort = (ushort)_ports,
        Process = Process,
        Trace = Trace,
        Confirmed = Confirmed,
    };

    /// <inheritdoc/>
    public readonly bool HasTupleOf(in TextLineIPv4 other) => _addresses == other._addresses && _ports == other._ports;

    /// <inheritdoc/>
    public readonly int CompareTo(TextLineIPv4 other) =>
        _addresses != other._addresses ? (_addresses < other._addresses ? -1 : 1) : _ports.CompareTo(other._ports);
}
