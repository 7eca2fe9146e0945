using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.LinkConstants;

namespace Conntracker.Core.Processes;

/// <summary>
/// Whether links (veth, macvlan, ipvlan, tunnels) lead from one network namespace to another, possibly through others. Both ends of such a link need
/// CAP_NET_ADMIN: a user who created a namespace without privileges can add links in it, but none that leaves it for the host's. The kernel shows the
/// namespace of a link's other end (IFLA_LINK_NETNSID), and lists the links of a namespace found this way (IFLA_TARGET_NETNSID).
/// </summary>
internal sealed class NamespaceLinks : IDisposable
{
    private const int DatagramSize = 32 * 1024;
    private const int Patience = 100;
    private const int MaximumNamespaces = 64;
    private const int MaximumLinks = 16_384;

    private readonly NetlinkSocket _socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_ROUTE, "links between network namespaces");
    private readonly DatagramBatch _batch = new(capacity: 1, DatagramSize);
    private readonly List<int> _found = [];
    private uint _sequence;
    private int _links;

    /// <summary>The kernel's cookie of the namespace in which this was opened. 0 before Linux 5.14.</summary>
    public ulong Cookie => _socket.NamespaceCookie();

    /// <summary>Whether links lead to another namespace.</summary>
    /// <param name="other">A descriptor of that namespace.</param>
    public bool LeadTo(SafeFileDescriptor other)
    {
        _links = 0;
        _found.Clear();
        ReadLinks(target: null);
        for (int next = 0; !Reaches(other); next++)
        {
            if (next == _found.Count || next == MaximumNamespaces || _links >= MaximumLinks)
            {
                return false;
            }

            ReadLinks(_found[next]);
        }

        return true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        _batch.Dispose();
    }

    // A namespace has a number once a link that leads there was read, or a user has assigned one.
    private bool Reaches(SafeFileDescriptor other)
    {
        Span<byte> buffer = stackalloc byte[64];
        NetlinkWriter writer = new(buffer);
        writer.BeginMessage(RTM_GETNSID, NetlinkConstants.NLM_F_REQUEST, ++_sequence);
        writer.WriteStruct(0);
        int number = other.Number;
        writer.WriteBytes(NETNSA_FD, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in number)));
        writer.EndMessage();
        _socket.Send(writer.Written);
        int id = -1;
        Read(RTM_NEWNSID, isDump: false, payload => id = Number(payload, sizeof(int), NETNSA_NSID));
        return id >= 0 && _found.Contains(id);
    }

    private void ReadLinks(int? target)
    {
        Span<byte> buffer = stackalloc byte[64];
        NetlinkWriter writer = new(buffer);
        writer.BeginMessage(RTM_GETLINK, NetlinkConstants.NLM_F_REQUEST | NetlinkConstants.NLM_F_DUMP, ++_sequence);
        writer.WriteStruct(default(ifinfomsg));
        int filter = RTEXT_FILTER_SKIP_STATS;
        writer.WriteBytes(IFLA_EXT_MASK, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in filter)));
        if (target is int id)
        {
            writer.WriteBytes(IFLA_TARGET_NETNSID, MemoryMarshal.AsBytes(new ReadOnlySpan<int>(in id)));
        }

        writer.EndMessage();
        _socket.Send(writer.Written);
        Read(RTM_NEWLINK, isDump: true, payload =>
        {
            _links++;
            int peer = Number(payload, Unsafe.SizeOf<ifinfomsg>(), IFLA_LINK_NETNSID);
            if (peer >= 0 && !_found.Contains(peer))
            {
                _found.Add(peer);
            }
        });
    }

    private void Read(int type, bool isDump, PayloadHandler take)
    {
        while (Poll.IsReadable(_socket.Number, Patience) && _batch.Receive(_socket.Descriptor) > 0)
        {
            NetlinkMessageReader messages = new(_batch[0]);
            while (messages.TryRead(out NetlinkMessage message))
            {
                if (message.Sequence != _sequence)
                {
                    continue;
                }

                if (message.Type == type)
                {
                    take(message.Payload);
                }

                if (!isDump || message.Type is NetlinkConstants.NLMSG_DONE or NetlinkConstants.NLMSG_ERROR)
                {
                    return;
                }
            }
        }
    }

    // -1 when there is none.
    private static int Number(ReadOnlySpan<byte> payload, int header, int wanted)
    {
        NetlinkAttributeReader attributes = new(payload.Length < header ? default : payload[header..]);
        while (attributes.Read())
        {
            if (attributes.Type == wanted && attributes.Value.Length == sizeof(int))
            {
                return MemoryMarshal.Read<int>(attributes.Value);
            }
        }

        return -1;
    }

    private delegate void PayloadHandler(ReadOnlySpan<byte> payload);
}
