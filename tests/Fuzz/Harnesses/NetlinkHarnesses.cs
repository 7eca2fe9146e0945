using Conntracker.Core.Addresses;
using Conntracker.Core.Conntrack;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>Messages of connection tracking, of interface addresses and of routes.</summary>
internal static class NetlinkHarnesses
{
    private const int NetfilterHeader = 4;
    private const int AddressHeader = 8;
    private const int RouteHeader = 12;

    public static IEnumerable<Harness> All(Corpus corpus)
    {
        byte[][] events = [.. corpus.Messages(MessageKind.ConntrackEvent, _ => true), .. corpus.Messages(MessageKind.ConntrackDump, _ => true)];
        yield return new Harness("conntrack", events, new NetlinkMutator(NetfilterHeader), Conntrack);

        // RTM_NEWADDR is 20, RTM_NEWROUTE is 24: each has a header of its own.
        yield return new Harness("address", corpus.Messages(MessageKind.Addresses, type => type < 24), new NetlinkMutator(AddressHeader), Address);
        yield return new Harness("route", corpus.Messages(MessageKind.Addresses, type => type >= 24), new NetlinkMutator(RouteHeader), Route);
    }

    private static void Conntrack(ReadOnlySpan<byte> datagram)
    {
        FlowUpdate decoded = default;
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            DecodeResult asEvent = ConntrackDecoder.Decode(in message, fromDump: false, ref decoded);
            DecodeResult asEntry = ConntrackDecoder.Decode(in message, fromDump: true, ref decoded);
            Must.Be(asEvent == asEntry, "A dump's entry is decoded as an event is.");
            Must.Be(asEvent != DecodeResult.Decoded || decoded.Key.Family is FlowFamily.IPv4 or FlowFamily.IPv6, "What is decoded has a family.");
        }
    }

    private static void Address(ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            DecodeResult result = AddressDecoder.Decode(in message, out FlowFamily family, out AddressBits address, out _);
            if (result == DecodeResult.Decoded)
            {
                AddressBlock.Of(family, address);
            }
        }
    }

    private static void Route(ReadOnlySpan<byte> datagram)
    {
        LocalAddressesBuilder addresses = new();
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            if (RouteDecoder.Decode(in message, out AddressBlock block, out bool isBroadcast) != DecodeResult.Decoded)
            {
                continue;
            }

            if (isBroadcast)
            {
                addresses.AddBroadcast(block);
            }
            else
            {
                addresses.AddOwn(block);
            }

            _ = addresses.Current;
        }
    }
}
