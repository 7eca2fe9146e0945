using System.Buffers.Binary;

namespace Conntracker.Tests.Unit;

/// <summary>How a capture file is written.</summary>
public enum PcapFormat
{
    /// <summary>pcap with microseconds, little-endian.</summary>
    Micro,

    /// <summary>The same of a big-endian machine.</summary>
    MicroBigEndian,

    /// <summary>pcap with nanoseconds, little-endian.</summary>
    Nano,

    /// <summary>The same of a big-endian machine.</summary>
    NanoBigEndian,

    /// <summary>pcapng, little-endian, with nanoseconds.</summary>
    Ng,

    /// <summary>The same of a big-endian machine.</summary>
    NgBigEndian,

    /// <summary>pcapng of two interfaces, that take turns; the second one counts microseconds.</summary>
    NgTwoInterfaces,
}

/// <summary>Writes capture files, laid out by hand from their specifications (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).</summary>
internal sealed class PcapFile
{
    public const int Null = 0;
    public const int Ethernet = 1;
    public const int Raw = 101;
    public const int Loop = 108;
    public const int Cooked = 113;
    public const int Cooked2 = 276;
    public const int IPv4 = 228;
    public const int IPv6 = 229;

    private const int SnapLength = 262144;

    private readonly int _linkType;
    private readonly PcapFormat _format;
    private readonly List<byte> _bytes = [];
    private readonly List<int> _ends = [];

    /// <summary>Begins a file.</summary>
    /// <param name="linkType">A LINKTYPE_* number, as files have it.</param>
    /// <param name="format">How it is written.</param>
    public PcapFile(int linkType = Ethernet, PcapFormat format = PcapFormat.Micro)
    {
        _linkType = linkType;
        _format = format;
        if (!IsNg)
        {
            AddNumbers(IsNano ? 0xa1b23c4d : 0xa1b2c3d4, 2 | (4 << 16), 0, 0, SnapLength, (uint)linkType);
            if (IsBigEndian)
            {
                // The version is two numbers of 16 bits, in this order.
                (_bytes[4], _bytes[5], _bytes[6], _bytes[7]) = (0, 2, 0, 4);
            }

            return;
        }

        AddBlock(0x0a0d0d0a, [.. Numbers(0x1a2b3c4d), .. Short(1), .. Short(0), .. Numbers(uint.MaxValue, uint.MaxValue)]);
        AddInterface(decimals: 9);
        if (format == PcapFormat.NgTwoInterfaces)
        {
            AddInterface(decimals: 6);
        }
    }

    /// <summary>Where the header ends, and after it each packet.</summary>
    public IReadOnlyList<int> Ends => _ends;

    private bool IsNg => _format >= PcapFormat.Ng;

    private bool IsNano => _format is PcapFormat.Nano or PcapFormat.NanoBigEndian;

    private bool IsBigEndian => _format is PcapFormat.MicroBigEndian or PcapFormat.NanoBigEndian or PcapFormat.NgBigEndian;

    /// <summary>Adds a packet.</summary>
    /// <param name="time">When it came.</param>
    /// <param name="frame">Its bytes that are there.</param>
    /// <param name="onWire">How many it had; null when all are there.</param>
    public PcapFile Add(DateTimeOffset time, byte[] frame, int? onWire = null)
    {
        if (_ends.Count == 0)
        {
            _ends.Add(_bytes.Count);
        }

        long ticks = (time - DateTimeOffset.UnixEpoch).Ticks;
        uint length = (uint)(onWire ?? frame.Length);
        if (IsNg)
        {
            bool isSecond = _format == PcapFormat.NgTwoInterfaces && _ends.Count % 2 == 0;
            ulong stamp = (ulong)(isSecond ? ticks / TimeSpan.TicksPerMicrosecond : ticks * TimeSpan.NanosecondsPerTick);
            AddBlock(6, [.. Numbers(isSecond ? 1u : 0, (uint)(stamp >> 32), (uint)stamp, (uint)frame.Length, length), .. Padded(frame)]);
        }
        else
        {
            long fraction = ticks % TimeSpan.TicksPerSecond;
            AddNumbers(
                (uint)(ticks / TimeSpan.TicksPerSecond),
                (uint)(IsNano ? fraction * TimeSpan.NanosecondsPerTick : fraction / TimeSpan.TicksPerMicrosecond),
                (uint)frame.Length,
                length);
            _bytes.AddRange(frame);
        }

        _ends.Add(_bytes.Count);
        return this;
    }

    /// <summary>Adds a section's second interface, of another link type.</summary>
    public PcapFile AddInterfaceOf(int linkType)
    {
        AddInterface(decimals: 9, linkType);
        return this;
    }

    /// <summary>The whole file.</summary>
    public byte[] ToBytes() => [.. _bytes];

    /// <summary>Writes the file.</summary>
    public string Write(TempDirectory folder, string name = "packets.pcap")
    {
        string path = folder.File(name);
        File.WriteAllBytes(path, ToBytes());
        return path;
    }

    private void AddInterface(int decimals, int? linkType = null) =>
        AddBlock(1, [.. Short(linkType ?? _linkType), .. Short(0), .. Numbers(SnapLength), .. Short(9), .. Short(1), (byte)decimals, 0, 0, 0, .. Numbers(0)]);

    private void AddBlock(uint type, byte[] body) =>
        _bytes.AddRange([.. Numbers(type, (uint)body.Length + 12), .. body, .. Numbers((uint)body.Length + 12)]);

    private void AddNumbers(params uint[] numbers) => _bytes.AddRange(Numbers(numbers));

    private byte[] Numbers(params uint[] numbers)
    {
        byte[] bytes = new byte[numbers.Length * sizeof(uint)];
        for (int i = 0; i < numbers.Length; i++)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(i * sizeof(uint)), IsBigEndian ? BinaryPrimitives.ReverseEndianness(numbers[i]) : numbers[i]);
        }

        return bytes;
    }

    private byte[] Short(int number) => IsBigEndian ? [(byte)(number >> 8), (byte)number] : [(byte)number, (byte)(number >> 8)];

    private static byte[] Padded(byte[] data) => [.. data, .. new byte[(4 - (data.Length % 4)) % 4]];
}
