using Conntracker.Core.Flows;
using Conntracker.Core.Packets;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Captures;

/// <summary>The collector's part for packets.</summary>
internal sealed partial class FlowCollector
{
    private readonly PacketHandler _packets;
    private long _packetsLost;

    /// <summary>Sets the UDP ports of services on this host (<see cref="CaptureOptions.IncomingUdpPorts"/>).</summary>
    public void UseIncomingUdpPorts(IEnumerable<int> ports) => _packets.Originator.UseIncomingUdpPorts(ports);

    private void HandlePacket(MessageKind kind, long time, ReadOnlySpan<byte> data)
    {
        switch (kind)
        {
            case MessageKind.PacketLink:
                _packets.TakeLinkType(data);
                break;
            case MessageKind.PacketsLost:
                _packetsLost += ReadNumber(data);
                break;
            case MessageKind.PacketTime:
                _packets.Expire(time);
                break;
            default:
                ApplyOutcome outcome = _packets.Take(data, time, Addresses, out int slot);
                if (outcome >= ApplyOutcome.Reopened)
                {
                    Processes.FlowAppeared(slot, Addresses, isOld: false);
                    Publish(slot);
                }

                break;
        }
    }
}
