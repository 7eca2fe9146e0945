using Conntracker.Core.Flows;

namespace Conntracker.Core.Processes;

/// <summary>Looks up sockets that no eBPF program reports.</summary>
internal interface ISocketLookup
{
    /// <summary>Requests the owner of the socket that sends or receives the packets of a tuple; the answer comes later as a frame, or never.</summary>
    /// <param name="key">The tuple, in zone 0, as the socket knows it.</param>
    /// <param name="isOutgoing">True for the sender's socket, false for the receiver's.</param>
    void Ask(in FlowKey key, bool isOutgoing);
}
