using System.Buffers.Binary;
using System.Net;

namespace Conntracker.Tests.Live.Packets;

/// <summary>Writes capture files: a datagram, and behind it, if wanted, much that is nothing.</summary>
internal static class PcapFile
{
    private const uint Magic = 0xa1b2c3d4;
    private const int SnapLength = 262144;
    private const uint Ethernet = 1;
    private const int FileHead = 24;
    private const int PacketHead = 16;
    private const int FrameLength = 14 + 20 + 8;

    /// <summary>Writes one.</summary>
    /// <param name="path">Where.</param>
    /// <param name="source">Who sends the datagram; IPv4.</param>
    /// <param name="target">Who gets it.</param>
    /// <param name="emptyFrames">How many frames of zeros follow, as long as frames can be: they are holes, and take little of the disk.</param>
    public static void Write(string path, IPEndPoint source, IPEndPoint target, int emptyFrames = 0)
    {
        using FileStream file = File.Create(path);
        Span<byte> start = stackalloc byte[FileHead + PacketHead + FrameLength];
        start.Clear();
        WriteNumbers(start, Magic, 0x00040002, 0, 0, SnapLength, Ethernet);
        WriteNumbers(start[FileHead..], 1, 0, FrameLength, FrameLength);
        WriteFrame(start[(FileHead + PacketHead)..], source, target);
        file.Write(start);
        Span<byte> head = stackalloc byte[PacketHead];
        for (int i = 0; i < emptyFrames; i++)
        {
            WriteNumbers(head, 2, 0, SnapLength, SnapLength);
            file.Write(head);
            file.Seek(SnapLength, SeekOrigin.Current);
        }

        file.SetLength(file.Position);
    }

    private static void WriteFrame(Span<byte> frame, IPEndPoint source, IPEndPoint target)
    {
        frame[12] = 8;
        Span<byte> ip = frame[14..];
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], 28);
        ip[8] = 64;
        ip[9] = (byte)FlowProtocol.Udp;
        source.Address.TryWriteBytes(ip[12..], out _);
        target.Address.TryWriteBytes(ip[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(ip[20..], (ushort)source.Port);
        BinaryPrimitives.WriteUInt16BigEndian(ip[22..], (ushort)target.Port);
        BinaryPrimitives.WriteUInt16BigEndian(ip[24..], 8);
    }

    private static void WriteNumbers(Span<byte> into, params ReadOnlySpan<uint> numbers)
    {
        for (int i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(into[(i * sizeof(uint))..], numbers[i]);
        }
    }
}
