using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>A message of nftables' trace, laid out as the kernel lays it out.</summary>
internal sealed record NftTrace
{
    public byte Family { get; init; } = NFPROTO_INET;

    public string Table { get; init; } = "fw";

    public string Chain { get; init; } = "forward";

    public int Type { get; init; } = NFT_TRACETYPE_RULE;

    public ulong Handle { get; init; }

    public int Verdict { get; init; } = NF_ACCEPT;

    public string JumpChain { get; init; } = "";

    public uint Id { get; init; } = 1;

    /// <summary>The packet's headers, which the first message of each base chain has.</summary>
    public PacketHeader? Packet { get; init; }

    /// <summary>0 before the conntrack hook, and on kernels that do not tell it.</summary>
    public uint ConntrackId { get; init; }

    public bool IsReply { get; init; }

    public byte[] Message()
    {
        NetlinkWriter writer = new(new byte[1024]);
        writer.BeginMessage((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_TRACE, 0, 0);
        writer.WriteStruct(new nfgenmsg { nfgen_family = Family });
        writer.WriteUInt32BigEndian(NFTA_TRACE_ID, Id);
        writer.WriteUInt32BigEndian(NFTA_TRACE_TYPE, (uint)Type);
        writer.WriteBytes(NFTA_TRACE_TABLE, Name(Table));
        writer.WriteBytes(NFTA_TRACE_CHAIN, Name(Chain));
        if (Handle != 0)
        {
            writer.WriteUInt64BigEndian(NFTA_TRACE_RULE_HANDLE, Handle);
        }

        if (Type == NFT_TRACETYPE_POLICY)
        {
            writer.WriteUInt32BigEndian(NFTA_TRACE_POLICY, (uint)Verdict);
        }
        else
        {
            int verdict = writer.BeginNested(NFTA_TRACE_VERDICT);
            writer.WriteUInt32BigEndian(NFTA_VERDICT_CODE, (uint)Verdict);
            if (JumpChain.Length > 0)
            {
                writer.WriteBytes(NFTA_VERDICT_CHAIN, Name(JumpChain));
            }

            writer.EndNested(verdict);
        }

        if (ConntrackId != 0)
        {
            writer.WriteUInt32BigEndian(NFTA_TRACE_CT_ID, ConntrackId);
            writer.WriteByte(NFTA_TRACE_CT_DIRECTION, (byte)(IsReply ? 1 : 0));
        }

        if (Packet is not null)
        {
            writer.WriteBytes(NFTA_TRACE_NETWORK_HEADER, Packet.Network());

            // NFT_TRACETYPE_TRANSPORT_HSIZE.
            byte[] transport = Packet.Transport();
            writer.WriteBytes(NFTA_TRACE_TRANSPORT_HEADER, transport.AsSpan(0, Math.Min(20, transport.Length)));
        }

        writer.EndMessage();
        return writer.Written.ToArray();
    }

    private static byte[] Name(string name) => [.. System.Text.Encoding.UTF8.GetBytes(name), 0];
}
