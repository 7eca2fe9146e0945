using System.Buffers.Text;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NflogConstants;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Decodes the kernel log's records of traced packets from /dev/kmsg (Documentation/ABI/testing/dev-kmsg), <c>4,357,13000397669,-;TRACE:
/// filter:INPUT:rule:1 IN=eth0 OUT= SRC=… DST=… PROTO=TCP SPT=… DPT=…</c>. Never throws.
/// </summary>
internal static class KernelLogDecoder
{
    // Lower numbers are the kernel's; a program's message gets the facility "user" or a higher one.
    private const int FirstPriorityOfPrograms = 8;

    /// <summary>Decodes one record.</summary>
    /// <param name="record">The record, with its header.</param>
    /// <param name="line">Filled when the result is <see cref="DecodeResult.Decoded"/>; otherwise undefined.</param>
    /// <returns>Ignored for records other than traces of iptables; malformed for a record without a header, or a trace without addresses.</returns>
    public static DecodeResult Decode(ReadOnlySpan<byte> record, out IptablesTraceLine line)
    {
        line = default;
        int header = record.IndexOf((byte)';');
        if (header < 0 || !Utf8Parser.TryParse(record[..header], out int priority, out _))
        {
            return DecodeResult.Malformed;
        }

        // Lines that begin with a space describe the device of the message.
        ReadOnlySpan<byte> text = record[(header + 1)..];
        int end = text.IndexOf((byte)'\n');
        text = end < 0 ? text : text[..end];
        int devices = text.IndexOf(" IN="u8);
        if (priority is < 0 or >= FirstPriorityOfPrograms || devices < 0 || !TracePrefix.TryRead(text[..devices], ref line))
        {
            return DecodeResult.Ignored;
        }

        KernelLogPacket packet = KernelLogPacket.Read(text[devices..]);
        line.Family = packet.Tuple.Key.Family;
        line.Hook = HookOf(line.Chain);
        line.Packet = packet.Tuple;
        line.HasPacket = packet.IsComplete;
        return line.Family == FlowFamily.None ? DecodeResult.Malformed : DecodeResult.Decoded;
    }

    // The log does not name the hook, but a built-in chain implies it.
    private static byte HookOf(ReadOnlySpan<byte> chain)
    {
        return chain.SequenceEqual("PREROUTING"u8) ? NF_INET_PRE_ROUTING
            : chain.SequenceEqual("INPUT"u8) ? NF_INET_LOCAL_IN
            : chain.SequenceEqual("FORWARD"u8) ? NF_INET_FORWARD
            : chain.SequenceEqual("OUTPUT"u8) ? NF_INET_LOCAL_OUT
            : chain.SequenceEqual("POSTROUTING"u8) ? NF_INET_POST_ROUTING
            : IptablesTraceLine.UnknownHook;
    }
}
