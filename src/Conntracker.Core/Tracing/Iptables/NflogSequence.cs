using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NflogConstants;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Counts the lines that NFLOG could not deliver, by the gaps in their numbers (NFULA_SEQ), which may start anywhere and wrap. An overrun of the
/// socket's buffer is counted when it is reported, and any further loss that the gap behind it shows when the next line arrives.
/// </summary>
internal sealed class NflogSequence
{
    private bool _isStarted;
    private uint _next;
    private long _counted;

    /// <summary>Reads the numbers of a datagram.</summary>
    /// <param name="datagram">Its bytes, as received.</param>
    /// <param name="lines">How many lines it holds.</param>
    /// <returns>How many lines were lost before or between them, beyond those that were counted already.</returns>
    public long Take(ReadOnlySpan<byte> datagram, out int lines)
    {
        long lost = 0;
        lines = 0;
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            if (message.Type != ((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_PACKET))
            {
                continue;
            }

            lines++;
            if (TryReadNumber(message.Payload, out uint number))
            {
                lost += Gap(number);
            }
        }

        return lost;
    }

    /// <summary>Counts an overrun.</summary>
    /// <param name="datagrams">How many datagrams were dropped, each with at least one line; null when that is not known.</param>
    /// <returns>How many lines to count as lost.</returns>
    public long Overrun(long? datagrams)
    {
        long lost = Math.Max(1, datagrams ?? 1);
        _counted += lost;
        return lost;
    }

    private long Gap(uint number)
    {
        // Unsigned, so that a wrap is not a gap. A number seen before is a line delivered twice, not four billion lost.
        uint gap = _isStarted ? unchecked(number - _next) : 0;
        if (gap > int.MaxValue)
        {
            return 0;
        }

        _isStarted = true;
        _next = unchecked(number + 1);
        if (gap == 0)
        {
            return 0;
        }

        // The kernel queues nothing between an overrun and the end of the queue: the first gap behind it is the overrun's.
        long lost = Math.Max(0, gap - _counted);
        _counted = 0;
        return lost;
    }

    private static bool TryReadNumber(ReadOnlySpan<byte> payload, out uint number)
    {
        number = 0;
        if (payload.Length < Unsafe.SizeOf<nfgenmsg>())
        {
            return false;
        }

        NetlinkAttributeReader attributes = new(payload[Unsafe.SizeOf<nfgenmsg>()..]);
        while (attributes.Read())
        {
            if (attributes.Type == NFULA_SEQ && attributes.HasSize(sizeof(uint)))
            {
                number = BinaryPrimitives.ReadUInt32BigEndian(attributes.Value);
                return true;
            }
        }

        return false;
    }
}
