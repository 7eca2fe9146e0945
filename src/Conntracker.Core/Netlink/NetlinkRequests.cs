using System.Buffers.Binary;
using System.Text;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Netlink;

/// <summary>
/// Requests that change something, many in one datagram, and questions with one answer. The kernel handles a datagram while it is sent, so the answer is
/// there afterwards. It belongs to the network namespace of the thread that opened it; one thread at a time may use it.
/// </summary>
internal sealed unsafe class NetlinkRequests : IDisposable
{
    // Each refusal takes room in the receive buffer; all requests of a datagram can be refused.
    private const int MaximumRequests = 128;
    private const int Capacity = 32 * 1024;
    private const int FlagsAt = 6;
    private const int SequenceAt = 8;

    private readonly NetlinkSocket _socket;
    private readonly byte[] _requests = new byte[Capacity];
    private readonly byte[] _answer = new byte[Capacity];
    private readonly List<object> _subjects = [];
    private int _length;
    private int _last;
    private uint _sequence;

    private NetlinkRequests(NetlinkSocket socket) => _socket = socket;

    /// <summary>Opens a socket for rtnetlink in the calling thread's network namespace.</summary>
    public static NetlinkRequests OpenRoute()
    {
        NetlinkSocket socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_ROUTE, "network configuration");
        socket.UseErrorTexts();
        return new NetlinkRequests(socket);
    }

    /// <summary>Adds a request; first sends the others when there is no room.</summary>
    /// <param name="message">One complete message; its sequence number is filled in here.</param>
    /// <param name="subject">What it is about, for a failure.</param>
    /// <param name="failures">Receives what the kernel refused.</param>
    public void Add(ReadOnlySpan<byte> message, object subject, List<NetlinkFailure> failures)
    {
        if (_length + message.Length > Capacity || _subjects.Count == MaximumRequests)
        {
            Flush(failures);
        }

        Span<byte> copy = _requests.AsSpan(_length, message.Length);
        message.CopyTo(copy);
        BinaryPrimitives.WriteUInt32LittleEndian(copy[SequenceAt..], _sequence + (uint)_subjects.Count + 1);
        _subjects.Add(subject);
        _last = _length;
        _length += NetlinkAlignment.Align(message.Length);
    }

    /// <summary>Sends what has gathered and reads what the kernel refused. The others were done.</summary>
    /// <param name="failures">Receives what the kernel refused, in the order of the requests.</param>
    /// <exception cref="ConntrackException">The kernel gave no answer.</exception>
    public void Flush(List<NetlinkFailure> failures)
    {
        if (_subjects.Count == 0)
        {
            return;
        }

        uint first = _sequence + 1;
        _sequence += (uint)_subjects.Count;
        Span<byte> flags = _requests.AsSpan(_last + FlagsAt);
        BinaryPrimitives.WriteUInt16LittleEndian(flags, (ushort)(BinaryPrimitives.ReadUInt16LittleEndian(flags) | NetlinkConstants.NLM_F_ACK));
        _socket.Send(_requests.AsSpan(0, _length));
        for (bool isComplete = false; !isComplete;)
        {
            NetlinkMessageReader messages = new(Receive());
            while (messages.TryRead(out NetlinkMessage message))
            {
                if (message.Type != NetlinkConstants.NLMSG_ERROR || message.Sequence - first >= (uint)_subjects.Count)
                {
                    continue;
                }

                int errno = ErrorOf(message, out string? text);
                isComplete |= message.Sequence == _sequence;
                if (errno != 0)
                {
                    failures.Add(new NetlinkFailure(_subjects[(int)(message.Sequence - first)], errno, text));
                }
            }
        }

        _subjects.Clear();
        _length = 0;
    }

    /// <summary>Asks one question.</summary>
    /// <param name="question">One complete message; its sequence number is filled in here.</param>
    /// <param name="type">The type of the answer's message; 0 for an error.</param>
    /// <param name="errno">The error number; 0 for an answer.</param>
    /// <returns>What follows the answer's header, valid until the next call; empty for an error.</returns>
    /// <exception cref="ConntrackException">The kernel gave no answer.</exception>
    public ReadOnlySpan<byte> Ask(ReadOnlySpan<byte> question, out int type, out int errno)
    {
        Span<byte> copy = _requests.AsSpan(_length, question.Length);
        question.CopyTo(copy);
        BinaryPrimitives.WriteUInt32LittleEndian(copy[SequenceAt..], ++_sequence);
        _socket.Send(copy);
        while (true)
        {
            NetlinkMessageReader messages = new(Receive());
            while (messages.TryRead(out NetlinkMessage message))
            {
                if (message.Sequence == _sequence)
                {
                    bool isError = message.Type == NetlinkConstants.NLMSG_ERROR;
                    type = isError ? 0 : message.Type;
                    errno = isError ? ErrorOf(message, out _) : 0;
                    return isError ? default : message.Payload;
                }
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private ReadOnlySpan<byte> Receive()
    {
        fixed (byte* buffer = _answer)
        {
            long received;
            do
            {
                received = SafeLibC.recv(_socket.Descriptor, buffer, _answer.Length, MSG_DONTWAIT);
            }
            while (received < 0 && Errno.Last == EINTR);

            return received > 0 ? _answer.AsSpan(0, (int)received) : throw new ConntrackException(
                ConntrackErrorReason.KernelRefused,
                $"The kernel did not answer a request to configure the network: {Errno.Describe(Errno.Last)}.");
        }
    }

    // struct nlmsgerr: the error, the request's header, the request unless it is capped, then attributes.
    private static int ErrorOf(in NetlinkMessage message, out string? text)
    {
        text = null;
        if (message.Payload.Length < sizeof(int) + sizeof(nlmsghdr))
        {
            return EPROTO;
        }

        int errno = -BinaryPrimitives.ReadInt32LittleEndian(message.Payload);
        int request = (message.Flags & NetlinkConstants.NLM_F_CAPPED) != 0 ? sizeof(nlmsghdr)
            : NetlinkAlignment.Align(Math.Max(0, BinaryPrimitives.ReadInt32LittleEndian(message.Payload[sizeof(int)..])));
        if ((message.Flags & NetlinkConstants.NLM_F_ACK_TLVS) != 0 && sizeof(int) + request <= message.Payload.Length)
        {
            NetlinkAttributeReader attributes = new(message.Payload[(sizeof(int) + request)..]);
            while (attributes.Read())
            {
                text = attributes.Type == NetlinkConstants.NLMSGERR_ATTR_MSG ? Encoding.UTF8.GetString(attributes.Value.TrimEnd((byte)0)) : text;
            }
        }

        return errno;
    }
}
