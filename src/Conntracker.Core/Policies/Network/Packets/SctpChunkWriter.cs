using System.Buffers.Binary;

namespace Conntracker.Core.Policies.Network.Packets;

/// <summary>Writes SCTP's chunks (RFC 9260, section 3.3). Each returns the length. The two ends always have the same tags.</summary>
internal static class SctpChunkWriter
{
    /// <summary>DATA.</summary>
    public const byte Data = 0;

    /// <summary>INIT.</summary>
    public const byte Init = 1;

    /// <summary>INIT ACK.</summary>
    public const byte InitAck = 2;

    /// <summary>SACK.</summary>
    public const byte Sack = 3;

    /// <summary>COOKIE ECHO.</summary>
    public const byte CookieEcho = 10;

    /// <summary>COOKIE ACK.</summary>
    public const byte CookieAck = 11;

    /// <summary>The tag of who began: packets to it carry it.</summary>
    public const uint ClientTag = 0x10203040;

    /// <summary>The tag of who answered: packets to it carry it.</summary>
    public const uint ServerTag = 0x50607080;

    private const int CookieLength = 4;
    private const uint FirstNumber = 1;

    /// <summary>Writes a chunk of one of these types.</summary>
    /// <param name="chunk">Receives it.</param>
    /// <param name="type">The type.</param>
    public static int Write(Span<byte> chunk, byte type)
    {
        const ushort StateCookie = 7;
        const byte WholeMessage = 3;
        int length = type switch
        {
            Init => 20,
            InitAck => 24 + CookieLength,
            CookieEcho => 4 + CookieLength,
            Sack => 16,
            Data => 24,
            _ => 4,
        };
        chunk[..length].Clear();
        chunk[0] = type;
        BinaryPrimitives.WriteUInt16BigEndian(chunk[2..], (ushort)length);
        switch (type)
        {
            case Init or InitAck:
                // The own tag, the window, streams out and in, the first number.
                BinaryPrimitives.WriteUInt32BigEndian(chunk[4..], type == Init ? ClientTag : ServerTag);
                BinaryPrimitives.WriteUInt32BigEndian(chunk[8..], 65536);
                BinaryPrimitives.WriteUInt16BigEndian(chunk[12..], 10);
                BinaryPrimitives.WriteUInt16BigEndian(chunk[14..], 10);
                BinaryPrimitives.WriteUInt32BigEndian(chunk[16..], FirstNumber);
                if (type == InitAck)
                {
                    BinaryPrimitives.WriteUInt16BigEndian(chunk[20..], StateCookie);
                    BinaryPrimitives.WriteUInt16BigEndian(chunk[22..], 4 + CookieLength);
                }

                break;
            case Data:
                chunk[1] = WholeMessage;
                BinaryPrimitives.WriteUInt32BigEndian(chunk[4..], FirstNumber);
                break;
            case Sack:
                BinaryPrimitives.WriteUInt32BigEndian(chunk[4..], FirstNumber);
                BinaryPrimitives.WriteUInt32BigEndian(chunk[8..], 65536);
                break;
        }

        return length;
    }
}
