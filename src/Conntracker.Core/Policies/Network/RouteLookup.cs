using System.Net;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Policies.Network;

/// <summary>Asks the kernel for routes (RTM_GETROUTE), and remembers the answers: the routes of the network do not change.</summary>
internal sealed class RouteLookup
{
    private const int MaximumAnswers = 65536;

    private readonly Dictionary<(IPAddress, uint), RouteAnswer> _answers = [];
    private readonly NetlinkRequests _requests;

    /// <summary>Asks through a socket of the network's namespace.</summary>
    public RouteLookup(NetlinkRequests requests) => _requests = requests;

    /// <summary>The route of a packet that this host sends.</summary>
    public RouteAnswer Find(IPAddress destination, uint mark = 0)
    {
        if (_answers.TryGetValue((destination, mark), out RouteAnswer answer))
        {
            return answer;
        }

        if (_answers.Count == MaximumAnswers)
        {
            _answers.Clear();
        }

        answer = Ask(destination, mark);
        _answers.Add((destination, mark), answer);
        return answer;
    }

    private RouteAnswer Ask(IPAddress destination, uint mark)
    {
        NetlinkWriter writer = new(stackalloc byte[NetworkMessages.MaximumLength]);
        NetworkMessages.WriteQuestion(ref writer, destination, mark);
        ReadOnlySpan<byte> payload = _requests.Ask(writer.Written, out int type, out int errno);
        if (type != RouteConstants.RTM_NEWROUTE || payload.Length < Unsafe.SizeOf<rtmsg>())
        {
            return new RouteAnswer(errno, 0, 0);
        }

        int index = 0;
        NetlinkAttributeReader attributes = new(payload[Unsafe.SizeOf<rtmsg>()..]);
        while (attributes.Read())
        {
            if (attributes.Type == RouteConstants.RTA_OIF && attributes.HasSize(sizeof(int)))
            {
                index = MemoryMarshal.Read<int>(attributes.Value);
            }
        }

        return new RouteAnswer(0, MemoryMarshal.Read<rtmsg>(payload).rtm_type, index);
    }
}
