using System.Buffers.Text;
using Conntracker.Core.Flows;
using Conntracker.Core.Packets;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// A packet in the wording of the kernel's log (net/netfilter/nf_log_syslog.c): words with a key and a value, and in brackets the packet that caused
/// an ICMP error.
/// </summary>
internal ref struct KernelLogPacket
{
    /// <summary>The result. Its family is none when the addresses are missing.</summary>
    public PacketTuple Tuple;

    private bool _hasSrc;
    private bool _hasDst;
    private bool _hasProtocol;
    private bool _hasSrcPort;
    private bool _hasDstPort;
    private bool _hasType;
    private bool _hasId;
    private bool _isLaterFragment;

    /// <summary>Whether the tuple is complete: see <see cref="IptablesTraceLine.HasPacket"/>.</summary>
    public readonly bool IsComplete
    {
        get
        {
            if (Tuple.Key.Family == FlowFamily.None || !_hasProtocol || _isLaterFragment)
            {
                return false;
            }

            // The tuple of an error may be that of the packet that caused it.
            return Tuple.IsIcmpError
                || (FlowKey.HasPorts(Tuple.Key.Protocol)
                    ? _hasSrcPort && _hasDstPort
                    : !FlowKey.IsIcmp(Tuple.Key.Protocol) || (_hasType && (_hasId || !Icmp.HasId(Tuple.Key.Protocol, Tuple.Key.Original.IcmpType))));
        }
    }

    /// <summary>Reads a packet from the words of a line.</summary>
    public static KernelLogPacket Read(ReadOnlySpan<byte> words) => Read(words, isCause: false);

    private static KernelLogPacket Read(ReadOnlySpan<byte> words, bool isCause)
    {
        KernelLogPacket packet = default;
        while (!words.IsEmpty)
        {
            int end = words.IndexOf((byte)' ');
            ReadOnlySpan<byte> word = end < 0 ? words : words[..end];

            // Not "INCOMPLETE [4 bytes]", which means that a header was truncated.
            if (word.StartsWith("[SRC="u8))
            {
                if (!isCause)
                {
                    packet.ParseCause(words[1..]);
                }

                break;
            }

            packet.Parse(word);
            words = end < 0 ? default : words[(end + 1)..];
        }

        packet.Tuple.Key.Family = packet._hasSrc && packet._hasDst ? packet.Tuple.Key.Family : FlowFamily.None;
        return packet;
    }

    private void Parse(ReadOnlySpan<byte> word)
    {
        int equals = word.IndexOf((byte)'=');
        if (equals < 0)
        {
            _isLaterFragment |= word.StartsWith("FRAG:"u8) && !word.SequenceEqual("FRAG:0"u8);
            return;
        }

        ReadOnlySpan<byte> key = word[..equals];
        ReadOnlySpan<byte> value = word[(equals + 1)..];
        if (!_hasProtocol)
        {
            ParseNetwork(key, value);
        }
        else if (FlowKey.HasPorts(Tuple.Key.Protocol))
        {
            _hasSrcPort |= key.SequenceEqual("SPT"u8) && TryRead(value, out Tuple.Key.Original.SrcPort);
            _hasDstPort |= key.SequenceEqual("DPT"u8) && TryRead(value, out Tuple.Key.Original.DstPort);
        }
        else if (FlowKey.IsIcmp(Tuple.Key.Protocol))
        {
            ParseIcmp(key, value);
        }
    }

    private void ParseNetwork(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.SequenceEqual("SRC"u8))
        {
            _hasSrc = KernelLogAddress.TryRead(value, out Tuple.Key.Original.Src, out Tuple.Key.Family);
        }
        else if (key.SequenceEqual("DST"u8))
        {
            _hasDst = KernelLogAddress.TryRead(value, out Tuple.Key.Original.Dst, out FlowFamily family) && family == Tuple.Key.Family;
        }
        else if (key.SequenceEqual("PROTO"u8))
        {
            _hasProtocol = TryReadProtocol(value, out Tuple.Key.Protocol);
        }
    }

    private void ParseIcmp(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        if (key.SequenceEqual("TYPE"u8) && TryRead(value, out ushort type) && type <= byte.MaxValue)
        {
            _hasType = true;
            Tuple.Key.Original.IcmpType = (byte)type;
            Tuple.IsIcmpError = Icmp.IsError(Tuple.Key.Protocol, (byte)type);
        }
        else if (key.SequenceEqual("CODE"u8) && TryRead(value, out ushort code))
        {
            Tuple.Key.Original.IcmpCode = (byte)code;
        }
        else if (key.SequenceEqual("ID"u8))
        {
            _hasId = TryRead(value, out Tuple.Key.Original.SrcPort);
        }
    }

    // By PacketDecoder's rules: of the same family, not an error itself, and travelling against the error.
    private void ParseCause(ReadOnlySpan<byte> words)
    {
        KernelLogPacket cause = Read(words, isCause: true);
        if (Tuple.IsIcmpError && cause.IsComplete && !cause.Tuple.IsIcmpError && cause.Tuple.Key.Family == Tuple.Key.Family)
        {
            Tuple.Key = FlowKey.Reverse(in cause.Tuple.Key);
        }
    }

    // A query is a type whose reply has another type.
    private static bool TryReadProtocol(ReadOnlySpan<byte> value, out FlowProtocol protocol)
    {
        protocol = value.SequenceEqual("TCP"u8) ? FlowProtocol.Tcp
            : value.SequenceEqual("UDP"u8) ? FlowProtocol.Udp
            : value.SequenceEqual("UDPLITE"u8) ? FlowProtocol.UdpLite
            : value.SequenceEqual("ICMP"u8) ? FlowProtocol.Icmp
            : value.SequenceEqual("ICMPv6"u8) ? FlowProtocol.IcmpV6
            : value.SequenceEqual("AH"u8) ? FlowProtocol.Ah
            : value.SequenceEqual("ESP"u8) ? FlowProtocol.Esp
            : FlowProtocol.None;
        if (protocol != FlowProtocol.None)
        {
            return true;
        }

        bool isNumber = TryRead(value, out ushort number) && number <= byte.MaxValue;
        protocol = (FlowProtocol)number;
        return isNumber;
    }

    private static bool TryRead(ReadOnlySpan<byte> digits, out ushort number) =>
        Utf8Parser.TryParse(digits, out number, out int consumed) && consumed == digits.Length;
}
