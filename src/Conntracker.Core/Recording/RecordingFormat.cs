using System.Numerics;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Recording;

/// <summary>
/// The format of a recording. Little-endian throughout; netlink's own bytes are stored as the kernel sent them.
/// <list type="bullet">
/// <item>Header: the 8 bytes <c>CTREC\r\n\0</c>, version (16 bits), length of the rest of the header (16 bits), start (64 bits, ticks of
/// UTC), the kernel's name and release and the machine (UTF-8), then CRC-32C of all that (32 bits).</item>
/// <item>Messages: length of the data (32 bits), kind (8 bits), time (64 bits, ticks of UTC), CRC-32C of these 13 bytes and the data
/// (32 bits), the data.</item>
/// <item>The last message of a recording that ended properly is of kind <see cref="MessageKind.End"/>.</item>
/// </list>
/// </summary>
internal static class RecordingFormat
{
    /// <summary>The only version that is written and read.</summary>
    public const ushort Version = 1;

    /// <summary>The length of the file header before its variable part, in bytes.</summary>
    public const int FixedHeaderLength = 12;

    /// <summary>The length of the header before a message's data, in bytes.</summary>
    public const int MessageHeaderLength = 17;

    /// <summary>The longest data of a message, in bytes. A greater length means that the file is damaged.</summary>
    public const int MaximumMessageLength = 1 << 20;

    /// <summary>The first bytes: a name, and line ends that a conversion of text would change.</summary>
    public static ReadOnlySpan<byte> Magic => "CTREC\r\n\0"u8;

    /// <summary>CRC-32C (Castagnoli) of further bytes.</summary>
    /// <param name="crc">The checksum so far; 0 at the start.</param>
    /// <param name="bytes">The bytes.</param>
    public static uint Checksum(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = ~crc;
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            crc = BitOperations.Crc32C(crc, word);
        }

        foreach (byte value in bytes[(words.Length * sizeof(ulong))..])
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}
