using System.Text;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>
/// Reads a named counter of nftables from the kernel. To do so, libnftables would read all rulesets, with the elements of all sets.
/// </summary>
internal sealed class NftCounterSource : IDisposable
{
    private readonly NetlinkSocket _socket;
    private uint _sequence;

    private NftCounterSource(NetlinkSocket socket) => _socket = socket;

    /// <summary>The last answer: one datagram.</summary>
    public DatagramBatch Batch { get; } = new(1, 4096);

    /// <summary>Opens a socket in the calling thread's network namespace.</summary>
    /// <exception cref="ConntrackException">The kernel has no netlink, or refused.</exception>
    public static NftCounterSource Open() => new(NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "nftables counters"));

    /// <summary>Sends a request, and receives the answer, which is queued before the send call returns.</summary>
    /// <param name="table">A table of family inet.</param>
    /// <param name="counter">The counter.</param>
    /// <returns>How many datagrams came; the negative error number when none did.</returns>
    /// <exception cref="ConntrackException">The request could not be sent.</exception>
    public int Read(string table, string counter)
    {
        Span<byte> buffer = stackalloc byte[1024];
        NetlinkWriter writer = new(buffer);
        writer.BeginMessage((NftablesConstants.NFNL_SUBSYS_NFTABLES << 8) | NftablesConstants.NFT_MSG_GETOBJ, NetlinkConstants.NLM_F_REQUEST, ++_sequence);
        writer.WriteStruct(new nfgenmsg { nfgen_family = NftablesConstants.NFPROTO_INET, version = ConntrackConstants.NFNETLINK_V0 });
        writer.WriteBytes(NftablesConstants.NFTA_OBJ_TABLE, Encoding.UTF8.GetBytes($"{table}\0"));
        writer.WriteBytes(NftablesConstants.NFTA_OBJ_NAME, Encoding.UTF8.GetBytes($"{counter}\0"));
        writer.WriteUInt32BigEndian(NftablesConstants.NFTA_OBJ_TYPE, NftablesConstants.NFT_OBJECT_COUNTER);
        writer.EndMessage();
        _socket.Send(writer.Written);
        return Batch.Receive(_socket.Descriptor);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _socket.Dispose();
        Batch.Dispose();
    }
}
