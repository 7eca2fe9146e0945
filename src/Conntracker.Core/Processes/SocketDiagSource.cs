using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.SocketDiagConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>
/// INET_DIAG: the kernel's own lookup of a socket by its exact tuple, for TCP and UDP. It sees the network namespace of the thread that opened it;
/// after that any one thread may use it.
/// </summary>
internal sealed unsafe class SocketDiagSource : IDisposable
{
    private const int DatagramSize = 4096;
    private const int Patience = 100;

    private readonly NetlinkSocket _socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_SOCK_DIAG, "socket lookups");
    private readonly DatagramBatch _batch = new(capacity: 1, DatagramSize);
    private uint _sequence;

    /// <summary>Finds a socket.</summary>
    /// <param name="id">The socket's own end as source, the other one as destination; the cookie is filled in.</param>
    /// <param name="family">AF_INET or AF_INET6.</param>
    /// <param name="protocol">TCP or UDP.</param>
    /// <param name="found">The kernel's description of it.</param>
    /// <returns>False when there is none; a connection without a socket of its own finds the listening one.</returns>
    public bool TryFind(in inet_diag_sockid id, byte family, byte protocol, out inet_diag_msg found)
    {
        found = default;
        inet_diag_req_v2 request = new() { sdiag_family = family, sdiag_protocol = protocol, idiag_states = uint.MaxValue, id = id };
        request.id.idiag_cookie[0] = INET_DIAG_NOCOOKIE;
        request.id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
        Span<byte> buffer = stackalloc byte[128];
        NetlinkWriter writer = new(buffer);
        writer.BeginMessage(SOCK_DIAG_BY_FAMILY, NetlinkConstants.NLM_F_REQUEST, ++_sequence);
        writer.WriteStruct(request);
        writer.EndMessage();
        _socket.Send(writer.Written);
        return ReadAnswer(out found);
    }

    /// <summary>
    /// Whether the kernel can look up sockets of a protocol. Without the module, a lookup fails as for a missing socket (ENOENT), but a dump does
    /// not: this one requests no state at all.
    /// </summary>
    public bool CanFind(byte protocol)
    {
        inet_diag_req_v2 request = new() { sdiag_family = (byte)AF_INET, sdiag_protocol = protocol };
        Span<byte> buffer = stackalloc byte[128];
        NetlinkWriter writer = new(buffer);
        writer.BeginMessage(SOCK_DIAG_BY_FAMILY, NetlinkConstants.NLM_F_REQUEST | NetlinkConstants.NLM_F_DUMP, ++_sequence);
        writer.WriteStruct(request);
        writer.EndMessage();
        _socket.Send(writer.Written);
        while (Poll.IsReadable(_socket.Number, Patience) && _batch.Receive(_socket.Descriptor) > 0)
        {
            NetlinkMessageReader messages = new(_batch[0]);
            while (messages.TryRead(out NetlinkMessage message))
            {
                if (message.Sequence == _sequence)
                {
                    int error = message.Payload.Length >= sizeof(int) ? MemoryMarshal.Read<int>(message.Payload) : 0;
                    return message.Type == NetlinkConstants.NLMSG_DONE && error >= 0;
                }
            }
        }

        return false;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _batch.Dispose();
    }

    // The kernel answers within the call that sends; an answer to an earlier, abandoned request is skipped.
    private bool ReadAnswer(out inet_diag_msg found)
    {
        found = default;
        while (Poll.IsReadable(_socket.Number, Patience))
        {
            if (_batch.Receive(_socket.Descriptor) <= 0)
            {
                return false;
            }

            NetlinkMessageReader messages = new(_batch[0]);
            while (messages.TryRead(out NetlinkMessage message))
            {
                if (message.Sequence == _sequence)
                {
                    bool isSocket = message.Type == SOCK_DIAG_BY_FAMILY && message.Payload.Length >= Unsafe.SizeOf<inet_diag_msg>();
                    found = isSocket ? MemoryMarshal.Read<inet_diag_msg>(message.Payload) : default;
                    return isSocket;
                }
            }
        }

        return false;
    }
}
