using System.Buffers.Binary;
using System.Text;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;
using Conntracker.Core.Tracing.Iptables;
using Conntracker.Core.Tracing.Nftables;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>What the kernel says of traced packets: nftables' messages, changes of its ruleset, NFLOG, the kernel's log.</summary>
internal static class TraceHarnesses
{
    private const int Trace = (NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_TRACE;
    private const int NetfilterHeader = 4;

    // What Linux 6.18 answered for a counter "untraced" of 7 packets and 420 bytes in the table inet conntracker.
    private const string Counter =
        "01000003" + "10000100" + "636F6E6E747261636B657200" + "0D000200" + "756E74726163656400" + "000000" + "08000300" + "00000001"
        + "0C000600" + "0000000000000001" + "08000500" + "00000000" + "1C000480" + "0C000100" + "00000000000001A4" + "0C000200" + "0000000000000007";

    public static IEnumerable<Harness> All(Corpus corpus)
    {
        NetlinkMutator mutator = new(NetfilterHeader);
        yield return new Harness("nft-trace", corpus.Messages(MessageKind.NftablesTrace, type => type == Trace), mutator, NftTrace);
        yield return new Harness("ruleset-change", [.. Changes(corpus)], mutator, RulesetChange);
        yield return new Harness("nflog", Corpus.Messages([.. corpus.Frames(MessageKind.Nflog), .. NflogDatagrams()], _ => true), mutator, Nflog);
        byte[][] words =
        [
            .. new[]
            {
                "TRACE: ", " IN=", ":rule:", ":policy:", ":return:", "SRC=", "DST=", "PROTO=", "SPT=", "DPT=", "[", "] ",
                "FRAG:", "2001:db8::1", "4294967296", ";", ",", "\n",
            }.Select(Encoding.ASCII.GetBytes),
        ];
        yield return new Harness("kernel-log", [.. KernelLogRecords()], new ByteMutator(words), KernelLog);
    }

    private static void NftTrace(ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            DecodeResult whole = NftTraceDecoder.Decode(in message, out NftTraceMessage trace);
            Must.Be(whole != DecodeResult.Decoded || (!trace.Table.IsEmpty && !trace.Chain.IsEmpty), "A step has a table and a chain.");
            NftTraceDecoder.Decode(in message, out NftTraceMessage without, ignoresConnections: true);
            Must.Be(without.ConntrackId == 0, "What is to be skipped is skipped.");
        }
    }

    private static void RulesetChange(ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            if (RulesetChangeDecoder.TryDecode(in message, out RulesetChange change))
            {
                Must.Be(change.Table.Length + change.Chain.Length < datagram.Length, "Names are parts of the message.");
            }

            NftCounterDecoder.TryDecode(in message, out long packets);
            Must.Be(packets >= 0, "No counter is negative.");
        }
    }

    private static void Nflog(ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            DecodeResult result = NflogDecoder.Decode(in message, out IptablesTraceLine line);
            MustBeWhole(result, in line);
        }
    }

    private static void KernelLog(ReadOnlySpan<byte> record)
    {
        DecodeResult result = KernelLogDecoder.Decode(record, out IptablesTraceLine line);
        MustBeWhole(result, in line);
    }

    private static void MustBeWhole(DecodeResult result, in IptablesTraceLine line) => Must.Be(
        result != DecodeResult.Decoded || (!line.Table.IsEmpty && !line.Chain.IsEmpty && line.Position >= 0),
        "A line has a table, a chain and a position.");

    // Recordings hold few of them. What matters of one is its type and its first attribute, the table's name (NFTA_TABLE_NAME, NFTA_RULE_TABLE, … are all 1).
    private static IEnumerable<byte[]> Changes(Corpus corpus)
    {
        byte[] counter = Message(NFT_MSG_NEWOBJ, Convert.FromHexString(Counter));
        foreach (byte[] each in corpus.Messages(MessageKind.NftablesTrace, type => type != Trace))
        {
            yield return each;
        }

        yield return counter;
        for (int type = 0; type <= NFT_MSG_NEWOBJ; type++)
        {
            yield return Message(type, counter[16..]);
        }
    }

    private static byte[] Message(int type, byte[] payload)
    {
        byte[] message = [.. new byte[16], .. payload];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(4), (ushort)((NFNL_SUBSYS_NFTABLES << 8) | type));
        return message;
    }

    // Each datagram has its length before it.
    private static IEnumerable<byte[]> NflogDatagrams()
    {
        byte[] file = Corpus.UnitFile("trace", "nflog.bin");
        for (int start = 0; start < file.Length;)
        {
            int length = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(start));
            yield return file[(start + 4)..(start + 4 + length)];
            start += 4 + length;
        }
    }

    // A record goes on in lines that begin with a space.
    private static IEnumerable<byte[]> KernelLogRecords()
    {
        string log = Encoding.UTF8.GetString(Corpus.UnitFile("trace", "kmsg.log")).Replace("\n ", "\0", StringComparison.Ordinal);
        return log.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(each => Encoding.UTF8.GetBytes(each.Replace("\0", "\n ", StringComparison.Ordinal) + "\n"));
    }
}
