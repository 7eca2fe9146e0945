using Conntracker.Core.Addresses;

namespace Conntracker.Core.Policies.Suggestions;

/// <summary>What lies next to something that was seen: the next ports, the next addresses of the far end, the other one of TCP and UDP.</summary>
internal static class PolicyNeighbours
{
    /// <summary>The neighbours of an access.</summary>
    public static IEnumerable<PolicyAccess> Of(PolicyAccess access, OwnAddresses own)
    {
        if (access.Scope.HasPorts)
        {
            foreach (int port in (int[])[access.Service - 1, access.Service + 1])
            {
                if (port is > 0 and <= ushort.MaxValue)
                {
                    yield return access with { Service = port };
                }
            }

            if (access.Scope.Protocol is FlowProtocol.Tcp or FlowProtocol.Udp)
            {
                FlowProtocol other = access.Scope.Protocol == FlowProtocol.Tcp ? FlowProtocol.Udp : FlowProtocol.Tcp;
                yield return access with { Scope = access.Scope with { Protocol = other } };
            }
        }

        foreach (int step in (int[])[-1, 1])
        {
            if (access.Scope.Direction != FlowDirection.Out && Next(access.Source, step) is AddressBlock source && IsElsewhere(source, own))
            {
                yield return access with { Source = source };
            }

            if (access.Scope.Direction != FlowDirection.In && Next(access.Destination, step) is AddressBlock destination && IsElsewhere(destination, own))
            {
                yield return access with { Destination = destination };
            }
        }
    }

    // Of a subnet the next one; of all addresses none.
    private static AddressBlock? Next(AddressBlock block, int step)
    {
        if (block.Prefix == 0)
        {
            return null;
        }

        UInt128 size = UInt128.One << (AddressBlock.BitsOf(block.Family) - block.Prefix);
        UInt128 first = step > 0 ? block.First.ToUInt128() + size : block.First.ToUInt128() - size;
        bool isOver = step > 0 ? first < size : first > block.First.ToUInt128();
        return isOver || (block.Family == FlowFamily.IPv4 && first > uint.MaxValue)
            ? null
            : new AddressBlock(block.Family, new AddressBits((ulong)(first >> 64), (ulong)first), block.Prefix);
    }

    // The host's own addresses, and those that no packet on the wire has, are for the routes to decide and not for rules.
    private static bool IsElsewhere(AddressBlock block, OwnAddresses own) =>
        !own.Contains(block) && !OwnAddresses.IsForMany(block) && (block.Family == FlowFamily.IPv4
            ? (uint)block.First.Low >> 24 is > 0 and < 224
            : block.First.High != 0);
}
