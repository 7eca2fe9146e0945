using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>
/// What nftables reports of one packet, in the order of the calls. Chains are named as in <c>inet fw forward</c>. The connection's id is
/// told from <see cref="Tracked"/> on.
/// </summary>
internal sealed class TracedPacket(TraceProbe probe, PacketHeader header, uint ct, bool isReply)
{
    private bool _isTracked;
    private string _base = "";

    public uint Id { get; init; }

    /// <summary>Our own first chain reports it.</summary>
    public TracedPacket First(string hook = "prerouting")
    {
        _isTracked = false;
        return Report("inet conntracker " + hook, NFT_TRACETYPE_RULE, 3, NF_ACCEPT, "", entersBase: true);
    }

    /// <summary>It has passed the conntrack hook.</summary>
    public TracedPacket Tracked()
    {
        _isTracked = true;
        return this;
    }

    /// <summary>NAT gives it another header; our own chain behind NAT reports it.</summary>
    public TracedPacket Nat(PacketHeader changed, string hook = "prerouting")
    {
        header = changed;
        return Report("inet conntracker nat_" + hook, NFT_TRACETYPE_POLICY, 0, NF_ACCEPT, "", entersBase: true);
    }

    /// <summary>NAT behind the last of our chains that could tell.</summary>
    public TracedPacket QuietNat(PacketHeader changed)
    {
        header = changed;
        return this;
    }

    public TracedPacket Rule(string chain, ulong handle, int verdict = NF_ACCEPT, string jump = "") =>
        Report(chain, NFT_TRACETYPE_RULE, handle, verdict, jump, probe.BaseChains.Contains(chain) && _base != chain);

    public TracedPacket Policy(string chain, int verdict = NF_ACCEPT) =>
        Report(chain, NFT_TRACETYPE_POLICY, 0, verdict, "", probe.BaseChains.Contains(chain) && _base != chain);

    /// <summary>The end of a chain that others call.</summary>
    public TracedPacket End(string chain) => Report(chain, NFT_TRACETYPE_RULE, 0, NFT_CONTINUE, "", entersBase: false);

    /// <summary>Our own last chain reports it.</summary>
    public TracedPacket Last(string hook = "postrouting") =>
        Report("inet conntracker " + hook, NFT_TRACETYPE_POLICY, 0, NF_ACCEPT, "", entersBase: true);

    /// <summary>The whole way of a packet that one rule of the forward chain accepts.</summary>
    public TracedPacket Forwarded(ulong handle) => First().Tracked().Rule("inet fw forward", handle).Last();

    private TracedPacket Report(string slot, int type, ulong handle, int verdict, string jump, bool entersBase)
    {
        string[] names = slot.Split(' ');
        _base = entersBase ? slot : _base;
        probe.Trace(new NftTrace
        {
            Family = (byte)(names[0] switch { "ip" => NFPROTO_IPV4, "ip6" => NFPROTO_IPV6, "bridge" => NFPROTO_BRIDGE, _ => NFPROTO_INET }),
            Table = names[1],
            Chain = names[2],
            Type = type,
            Handle = handle,
            Verdict = verdict,
            JumpChain = jump,
            Id = Id,
            Packet = entersBase ? header : null,
            ConntrackId = _isTracked ? ct : 0,
            IsReply = isReply,
        });
        return this;
    }
}
