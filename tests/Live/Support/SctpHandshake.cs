using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Recording;
using Xunit;

namespace Conntracker.Tests.Live.Support;

/// <summary>SCTP's four-way handshake over raw sockets: few kernels have SCTP itself, but many track it (RFC 9260).</summary>
internal static class SctpHandshake
{
    private const byte Init = 1;
    private const byte InitAck = 2;
    private const byte CookieEcho = 10;
    private const byte CookieAck = 11;
    private const int HeaderLength = 12;
    private const uint ClientTag = 0x11111111;
    private const uint ServerTag = 0x22222222;

    /// <summary>Has the whole handshake with a server that answers with <see cref="Answer"/>.</summary>
    public static void Shake(Socket socket, IPEndPoint source, IPEndPoint target)
    {
        IPEndPoint to = new(target.Address, 0);
        socket.SendTo(Open(source, target), to);
        Expect(socket, InitAck);
        socket.SendTo(Packet(source.Port, target.Port, ServerTag, CookieEcho), to);
        Expect(socket, CookieAck);
    }

    /// <summary>The packet that opens an association.</summary>
    public static byte[] Open(IPEndPoint source, IPEndPoint target) => Packet(source.Port, target.Port, 0, Init);

    /// <summary>The server's answer; null when there is none.</summary>
    public static byte[]? Answer(ReadOnlySpan<byte> packet)
    {
        int client = BinaryPrimitives.ReadUInt16BigEndian(packet);
        int server = BinaryPrimitives.ReadUInt16BigEndian(packet[2..]);
        return packet[HeaderLength] switch
        {
            Init => Packet(server, client, ClientTag, InitAck),
            CookieEcho => Packet(server, client, ClientTag, CookieAck),
            _ => null,
        };
    }

    private static void Expect(Socket socket, byte chunk) => Assert.Equal(chunk, TestClient.Receive(socket)[HeaderLength]);

    private static byte[] Packet(int from, int to, uint tag, byte chunk)
    {
        // INIT: tag, window, streams out and in, first number. COOKIE ECHO: a cookie.
        int body = chunk switch { Init or InitAck => 16, CookieEcho => 4, _ => 0 };
        byte[] packet = new byte[HeaderLength + 4 + body];
        Span<byte> bytes = packet;
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)from);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)to);
        BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], tag);
        bytes[HeaderLength] = chunk;
        BinaryPrimitives.WriteUInt16BigEndian(bytes[(HeaderLength + 2)..], (ushort)(4 + body));
        if (chunk is Init or InitAck)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[16..], chunk == Init ? ClientTag : ServerTag);
            BinaryPrimitives.WriteUInt32BigEndian(bytes[20..], 65536);
            BinaryPrimitives.WriteUInt16BigEndian(bytes[24..], 1);
            BinaryPrimitives.WriteUInt16BigEndian(bytes[26..], 1);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(bytes[8..], RecordingFormat.Checksum(0, packet));
        return packet;
    }
}
