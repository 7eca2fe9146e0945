using System.Buffers.Binary;
using System.Net;

namespace Conntracker.Tests.Live.Packets;

/// <summary>Writes capture files: a datagram, and behind it frames that are nothing.</summary>
internal static class PcapFile
{
    private const uint Magic = 0xa1b2c3d4;
    private const int SnapLength = 65536;
    private const uint Ethernet = 1;
    private const int FileHeader = 24;
    private const int PacketHeaderLength = 16;
    private const int FrameLength = 14 + 20 + 8;
    private const int EmptyInChunk = 1000;

    /// <summary>Writes one.</summary>
    /// <param name="path">Where.</param>
    /// <param name="source">Who sends the datagram; IPv4.</param>
    /// <param name="target">Who gets it.</param>
    public static void Write(string path, IPEndPoint source, IPEndPoint target) => File.WriteAllBytes(path, Begin(source, target));

    /// <summary>Makes a pipe that has no end: the datagram, and then empty frames for as long as somebody reads.</summary>
    public static void WriteEndless(string path, IPEndPoint source, IPEndPoint target)
    {
        Tool.Run("mkfifo", path);
        new Thread(() =>
        {
            try
            {
                using FileStream pipe = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);
                pipe.Write(Begin(source, target));
                byte[] chunk = new byte[EmptyInChunk * (PacketHeaderLength + FrameLength)];
                for (int at = 0; at < chunk.Length; at += PacketHeaderLength + FrameLength)
                {
                    WriteNumbers(chunk.AsSpan(at), 2, 0, FrameLength, FrameLength);
                }

                while (true)
                {
                    pipe.Write(chunk);
                }
            }
            catch (IOException)
            {
                // Nobody reads any more.
            }
        })
        { IsBackground = true }.Start();
    }

    private static byte[] Begin(IPEndPoint source, IPEndPoint target)
    {
        byte[] start = new byte[FileHeader + PacketHeaderLength + FrameLength];
        WriteNumbers(start, Magic, 0x00040002, 0, 0, SnapLength, Ethernet);
        WriteNumbers(start.AsSpan(FileHeader), 1, 0, FrameLength, FrameLength);
        WriteFrame(start.AsSpan(FileHeader + PacketHeaderLength), source, target);
        return start;
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
