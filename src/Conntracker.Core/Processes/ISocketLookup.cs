





using Conntracker.Core.Flows;

namespace Conntracker.Core.Processes;

/// <summary>Looks sockets up that no eBPF program tells of.</summary>
internal interface ISocketLookup
{
    /// <summary>Asks whose socket sends or receives the packets of a tuple; the answer comes later as a frame, or never.</summary>
    /// <param name="key">The tuple, in zone 0, as the socket knows it.</param>
    /// <param name="isOutgoing">True for the sender's socket, false for the receiver's.</param>
    void Ask(in FlowKey key, bool isOutgoing);
}
