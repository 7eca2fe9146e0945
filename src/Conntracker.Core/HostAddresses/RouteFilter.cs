using System.Buffers.Binary;
using Conntracker.Core.Native;
using static Conntracker.Core.Native.SocketFilterConstants;

namespace Conntracker.Core.HostAddresses;

/// <summary>
/// A socket filter for rtnetlink. Of the changes of routes it passes only new routes that deliver to the host itself or are broadcast: a router
/// that learns routes changes thousands of them a second. Answers to dumps, and everything else, pass.
/// </summary>
internal static class RouteFilter
{
    private const int LoadHalf = BPF_LD | BPF_H | BPF_ABS;
    private const int LoadByte = BPF_LD | BPF_B | BPF_ABS;
    private const int JumpIfEqual = BPF_JMP | BPF_JEQ | BPF_K;
    private const int JumpIfSet = BPF_JMP | BPF_JSET | BPF_K;
    private const int Return = BPF_RET | BPF_K;

    private static readonly sock_filter[] s_instructions = MakeAll();

    /// <summary>The filter.</summary>
    public static ReadOnlySpan<sock_filter> Instructions => s_instructions;

    private static unsafe sock_filter[] MakeAll()
    {
        nlmsghdr header;
        rtmsg route;
        int type = Distance(&header, &header.nlmsg_type);
        int flags = Distance(&header, &header.nlmsg_flags);
        int routeType = sizeof(nlmsghdr) + Distance(&route, &route.rtm_type);

        // A jump counts from the next instruction.
        return
        [
            Make(LoadHalf, type),
            Make(JumpIfEqual, InNetworkOrder(RouteConstants.RTM_DELROUTE), yes: 7),
            Make(JumpIfEqual, InNetworkOrder(RouteConstants.RTM_NEWROUTE), no: 7),
            Make(LoadHalf, flags),
            Make(JumpIfSet, InNetworkOrder(NetlinkConstants.NLM_F_MULTI), yes: 5),
            Make(LoadByte, routeType),
            Make(JumpIfEqual, RouteConstants.RTN_LOCAL, yes: 3),
            Make(JumpIfEqual, RouteConstants.RTN_BROADCAST, yes: 2),
            Make(JumpIfEqual, RouteConstants.RTN_ANYCAST, yes: 1),
            Make(Return, 0),
            Make(Return, -1),
        ];
    }

    private static unsafe int Distance(void* from, void* to) => (int)((byte*)to - (byte*)from);

    // A BPF load reads in network order, netlink writes in host order.
    private static int InNetworkOrder(int value) =>
        BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness((ushort)value) : value;

    private static sock_filter Make(int code, int value, byte yes = 0, byte no = 0) =>
        new() { code = (ushort)code, jt = yes, jf = no, k = unchecked((uint)value) };
}
