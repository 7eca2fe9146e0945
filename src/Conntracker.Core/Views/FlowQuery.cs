using Conntracker.Core.Flows;

namespace Conntracker;

/// <summary>
/// Which flows are wanted. An empty list or null asks for all; what is set must all hold, and of a list one entry. Asked of the table
/// itself, so that a million flows need not become objects to find ten.
/// </summary>
public sealed class FlowQuery
{
    /// <summary>Every flow.</summary>
    public static FlowQuery All { get; } = new();

    /// <summary>Protocols.</summary>
    public IReadOnlyList<FlowProtocol> Protocols { get; init; } = [];

    /// <summary>Where the originator's address lies, before NAT.</summary>
    public IReadOnlyList<AddressRange> SrcAddresses { get; init; } = [];

    /// <summary>Where the address lies that the originator spoke to, before NAT.</summary>
    public IReadOnlyList<AddressRange> DstAddresses { get; init; } = [];

    /// <summary>The originator's port. A flow without ports does not match.</summary>
    public IReadOnlyList<PortRange> SrcPorts { get; init; } = [];

    /// <summary>The port that the originator spoke to. A flow without ports does not match.</summary>
    public IReadOnlyList<PortRange> DstPorts { get; init; } = [];

    /// <summary>States.</summary>
    public IReadOnlyList<FlowState> States { get; init; } = [];

    /// <summary>Only flows that were seen at this time or later (<see cref="Flow.LastSeen"/>).</summary>
    public DateTimeOffset? Since { get; init; }

    internal bool Matches(ref readonly FlowRecord record)
    {
        FlowKey key = record.Key;
        bool hasPorts = FlowKey.HasPorts(key.Protocol);
        return (Since is not DateTimeOffset since || record.LastSeen >= since.UtcTicks)
            && Any(Protocols, key.Protocol)
            && Any(States, record.State)
            && Any(SrcAddresses, key.Family, key.Original.Src)
            && Any(DstAddresses, key.Family, key.Original.Dst)
            && Any(SrcPorts, hasPorts, key.Original.SrcPort)
            && Any(DstPorts, hasPorts, key.Original.DstPort);
    }

    private static bool Any<T>(IReadOnlyList<T> wanted, T value)
        where T : struct, Enum
    {
        for (int i = 0; i < wanted.Count; i++)
        {
            if (EqualityComparer<T>.Default.Equals(wanted[i], value))
            {
                return true;
            }
        }

        return wanted.Count == 0;
    }

    private static bool Any(IReadOnlyList<AddressRange> wanted, FlowFamily family, AddressBits address)
    {
        for (int i = 0; i < wanted.Count; i++)
        {
            if (wanted[i].Contains(family, address))
            {
                return true;
            }
        }

        return wanted.Count == 0;
    }

    private static bool Any(IReadOnlyList<PortRange> wanted, bool hasPorts, ushort port)
    {
        for (int i = 0; i < wanted.Count && hasPorts; i++)
        {
            if (wanted[i].Contains(port))
            {
                return true;
            }
        }

        return wanted.Count == 0;
    }
}
