




using Conntracker.Core.Addresses;

namespace Conntracker.Core.Flows;

/// <summary>Asks the table itself which flows a query wants, so that a million flows need not become objects to find ten.</summary>
internal static class FlowMatcher
{
    /// <summary>Whether a flow is wanted.</summary>
    /// <param name="query">Which flows are wanted.</param>
    /// <param name="record">The flow.</param>
    /// <param name="verdict">What the firewall did with its first packet.</param>
    public static bool Matches(this FlowQuery query, ref readonly FlowRecord record, FlowVerdict verdict) => Any(query.Verdicts, verdict) && query.Matches(in record);

    /// <summary>Whether a flow is wanted, whatever its verdict is.</summary>
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
