using Conntracker.Core.Addresses;

namespace Conntracker.Core.Flows;

/// <summary>Applies a query to the table's records, so that finding ten flows among a million does not create a million objects.</summary>
internal static class FlowMatcher
{
    /// <summary>Whether a flow matches.</summary>
    /// <param name="query">The query.</param>
    /// <param name="record">The flow.</param>
    /// <param name="verdict">The firewall's verdict on the flow's first packet.</param>
    public static bool Matches(this FlowQuery query, ref readonly FlowRecord record, FlowVerdict verdict) =>
        Any(query.Verdicts, verdict) && query.Matches(in record);

    /// <summary>Whether a flow matches, whatever its verdict.</summary>
    public static bool Matches(this FlowQuery query, ref readonly FlowRecord record)
    {
        FlowKey key = record.Key;
        bool hasPorts = FlowKey.HasPorts(key.Protocol);
        return (query.Since is not DateTimeOffset since || record.LastSeen >= since.UtcTicks)
            && Any(query.Protocols, key.Protocol)
            && Any(query.States, record.State)
            && Any(query.SrcAddresses, key.Family, key.Original.Src)
            && Any(query.DstAddresses, key.Family, key.Original.Dst)
            && Any(query.SrcPorts, hasPorts, key.Original.SrcPort)
            && Any(query.DstPorts, hasPorts, key.Original.DstPort);
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
