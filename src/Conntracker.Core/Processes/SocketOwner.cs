using System.Buffers.Binary;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Processes;

/// <summary>The process of a socket, and a packet that the socket sends or receives. Also the frame that recordings hold.</summary>
internal struct SocketOwner
{
    /// <summary>Bytes of a frame.</summary>
    public const int FrameLength = 44;

    /// <summary>The packet's tuple, in zone 0, as it is at the socket: without NAT further on its way.</summary>
    public FlowKey Key;

    /// <summary>The process's number, see <see cref="ProcessReport.Number"/>.</summary>
    public int Process;

    /// <summary>True when the socket sends the packet, false when it receives it.</summary>
    public bool IsOutgoing;

    /// <summary>Where the socket is.</summary>
    public SocketScope Scope;

    /// <summary>Writes the frame.</summary>
    public readonly void Write(Span<byte> frame)
    {
        BinaryPrimitives.WriteInt32LittleEndian(frame, Process);
        frame[4] = (byte)Key.Family;
        frame[5] = (byte)Key.Protocol;
        frame[6] = IsOutgoing ? (byte)1 : (byte)0;
        frame[7] = (byte)Scope;
        BinaryPrimitives.WriteUInt16BigEndian(frame[8..], Key.Original.SrcPort);
        BinaryPrimitives.WriteUInt16BigEndian(frame[10..], Key.Original.DstPort);
        Write(frame[12..], Key.Original.Src);
        Write(frame[28..], Key.Original.Dst);
    }

    /// <summary>Reads a frame.</summary>
    public static DecodeResult Decode(ReadOnlySpan<byte> frame, out SocketOwner owner)
    {
        owner = default;
        if (frame.Length != FrameLength || (FlowFamily)frame[4] is not (FlowFamily.IPv4 or FlowFamily.IPv6) || frame[7] > (byte)SocketScope.Unproven)
        {
            return DecodeResult.Malformed;
        }

        owner.Process = BinaryPrimitives.ReadInt32LittleEndian(frame);
        owner.Key.Family = (FlowFamily)frame[4];
        owner.Key.Protocol = (FlowProtocol)frame[5];
        owner.IsOutgoing = frame[6] != 0;
        owner.Scope = (SocketScope)frame[7];
        owner.Key.Original.SrcPort = BinaryPrimitives.ReadUInt16BigEndian(frame[8..]);
        owner.Key.Original.DstPort = BinaryPrimitives.ReadUInt16BigEndian(frame[10..]);
        owner.Key.Original.Src = AddressBits.Read(frame.Slice(12, 16));
        owner.Key.Original.Dst = AddressBits.Read(frame.Slice(28, 16));
        return DecodeResult.Decoded;
    }

    private static void Write(Span<byte> target, AddressBits address)
    {
        BinaryPrimitives.WriteUInt64BigEndian(target, address.High);
        BinaryPrimitives.WriteUInt64BigEndian(target[8..], address.Low);
    }
}

/// <summary>Where a socket is, seen from the capture. Recordings contain the numbers: never change one.</summary>
internal enum SocketScope : byte
{
    /// <summary>Not known: the socket is older than the capture.</summary>
    Unknown = 0,

    /// <summary>In the capture's own network namespace.</summary>
    Here = 1,

    /// <summary>In another network namespace of the host: a container's, for instance.</summary>
    Elsewhere = 2,

    /// <summary>In another network namespace, and it is not known whether that is connected to the capture's: no process is named.</summary>
    Unproven = 3,
}
