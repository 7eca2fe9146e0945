using System.Buffers.Binary;

namespace Conntracker.Bench;

/// <summary>
/// What two hosts say to each other, packet after packet: a TCP connection (its opening, requests and answers, its end), a DNS query, an
/// exchange of UDP datagrams, or pings. Each is one flow, with a tuple of its own.
/// </summary>
internal sealed class Conversation
{
    private const int Clients = 256;
    private const int Servers = 1024;
    private const int FirstPort = 32768;
    private const int Fin = 0x01;
    private const int Syn = 0x02;
    private const int Rst = 0x04;
    private const int Psh = 0x08;
    private const int Ack = 0x10;
    private const int Opening = 3;
    private const int Closing = 3;
    private const int TcpHeader = 32;
    private const int SynHeader = 40;

    private static readonly ushort[] s_services = [443, 443, 443, 443, 22, 993, 5432, 8443];

    private readonly byte _protocol;
    private readonly bool _isIpv6;
    private readonly uint _client;
    private readonly uint _server;
    private readonly ushort _clientPort;
    private readonly ushort _serverPort;
    private readonly bool _isReset;
    private readonly int _packets;
    private uint _clientSequence;
    private uint _serverSequence;
    private int _next;

    /// <summary>Begins one.</summary>
    /// <param name="number">Its number, less than 8 Mi: each has its own client's address and port.</param>
    /// <param name="random">What decides over the rest.</param>
    public Conversation(int number, Random random)
    {
        _client = (uint)(number % Clients) + 1;
        _clientPort = (ushort)(FirstPort + (number / Clients));
        _server = (uint)random.Next(Servers) + 1;
        _isIpv6 = random.Next(100) < 30;
        int kind = random.Next(100);
        if (kind < 70)
        {
            _protocol = FrameWriter.Tcp;
            _serverPort = s_services[random.Next(s_services.Length)];
            _packets = Opening + (3 * (random.Next(100) < 70 ? 1 : 2)) + Closing;
            _isReset = random.Next(100) < 5;
            _clientSequence = (uint)random.Next();
            _serverSequence = (uint)random.Next();
        }
        else if (kind < 97)
        {
            _protocol = FrameWriter.Udp;
            _serverPort = (ushort)(kind < 80 ? DnsMessage.Port : 443);
            _packets = _serverPort == DnsMessage.Port ? 2 : random.Next(8, 21);
        }
        else
        {
            _protocol = _isIpv6 ? FrameWriter.Icmpv6 : FrameWriter.Icmp;
            _packets = 6;
        }
    }

    /// <summary>All was said.</summary>
    public bool IsOver => _next == _packets;

    /// <summary>Writes the next packet.</summary>
    /// <param name="frame">Zeroes; room for the headers and for what is kept of the payload.</param>
    /// <param name="random">What decides over lengths.</param>
    /// <returns>The packet's length on the wire, in bytes; may be more than was written.</returns>
    public int WriteNext(Span<byte> frame, Random random)
    {
        int step = _next++;
        return _protocol switch
        {
            FrameWriter.Tcp => WriteTcp(frame, step, random),
            FrameWriter.Udp => WriteUdp(frame, step, random),
            _ => WritePing(frame, step),
        };
    }

    private int WriteTcp(Span<byte> frame, int step, Random random)
    {
        bool isData = step >= Opening && step < _packets - Closing && step % 3 != 2;
        bool fromClient = step % 3 != 1;
        int flags = step switch
        {
            0 => Syn,
            1 => Syn | Ack,
            _ when isData => Psh | Ack,
            _ when step == _packets - 2 || step == _packets - 3 => Fin | Ack,
            _ when step == _packets - 1 && _isReset => Rst,
            _ => Ack,
        };
        int header = (flags & Syn) != 0 ? SynHeader : TcpHeader;
        int data = !isData ? 0 : fromClient ? random.Next(40, 400) : random.Next(100, 1429);
        int at = FrameWriter.WriteHeaders(frame, _isIpv6, _protocol, _client, _server, fromClient, header + data);
        Span<byte> tcp = frame[at..];
        ref uint mine = ref fromClient ? ref _clientSequence : ref _serverSequence;
        uint theirs = fromClient ? _serverSequence : _clientSequence;
        FrameWriter.WritePorts(tcp, _clientPort, _serverPort, fromClient);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], mine);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], (flags & Ack) != 0 ? theirs : 0);
        tcp[12] = (byte)(header / 4 << 4);
        tcp[13] = (byte)flags;
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 502);
        WriteOptions(tcp[20..], (flags & Syn) != 0, step);
        mine += (uint)(data + ((flags & (Syn | Fin)) != 0 ? 1 : 0));
        return at + header + data;
    }

    // As Linux sends them: maximum segment size, SACK and window scale in the first packets, time stamps in all.
    private static void WriteOptions(Span<byte> options, bool isSyn, int step)
    {
        ReadOnlySpan<byte> first = [2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0x10, 0, 0, 0, 0x20, 0, 0, 1, 3, 3, 7];
        ReadOnlySpan<byte> later = [1, 1, 8, 10, 0, 0x10, 0, 0, 0, 0x20, 0, 0];
        (isSyn ? first : later).CopyTo(options);
        options[isSyn ? 11 : 7] = (byte)step;
    }

    private int WriteUdp(Span<byte> frame, int step, Random random)
    {
        const int Header = 8;
        bool fromClient = step % 2 == 0;
        bool isDns = _serverPort == DnsMessage.Port;
        int data = isDns ? DnsMessage.Length(!fromClient) : fromClient ? random.Next(40, 100) : random.Next(100, 1253);
        int at = FrameWriter.WriteHeaders(frame, _isIpv6, _protocol, _client, _server, fromClient, Header + data);
        Span<byte> udp = frame[at..];
        FrameWriter.WritePorts(udp, _clientPort, _serverPort, fromClient);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)(Header + data));
        if (isDns)
        {
            DnsMessage.Write(udp[Header..], _client, !fromClient);
        }

        return at + Header + data;
    }

    private int WritePing(Span<byte> frame, int step)
    {
        const int Length = 64;
        bool fromClient = step % 2 == 0;
        int at = FrameWriter.WriteHeaders(frame, _isIpv6, _protocol, _client, _server, fromClient, Length);
        Span<byte> icmp = frame[at..];
        icmp[0] = (byte)(_isIpv6 ? (fromClient ? 128 : 129) : (fromClient ? 8 : 0));
        BinaryPrimitives.WriteUInt16BigEndian(icmp[4..], _clientPort);
        BinaryPrimitives.WriteUInt16BigEndian(icmp[6..], (ushort)((step / 2) + 1));
        return at + Length;
    }
}
