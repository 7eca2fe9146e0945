using Conntracker.Core.Flows;

namespace Conntracker.Core.Tracing;

/// <summary>The end of a packet's way: where nothing more is told of it.</summary>
internal sealed partial class NftablesTracer
{
    /// <summary>Gives up waiting for more of packets that began before a time.</summary>
    public void Settle(long before)
    {
        for (int slot = 0; slot < Slots; slot++)
        {
            if (_packets[slot].Time != 0 && _packets[slot].Time < before)
            {
                Settle(slot);
            }
        }
    }

    // Nothing more comes of this packet: what is known of it goes to its flow, which is made when there is none.
    private void Settle(int slot)
    {
        ref PacketInFlight packet = ref _packets[slot];
        if (packet.Time == 0)
        {
            return;
        }

        LeavePlace(ref packet);
        if (packet.Place < 0)
        {
            Locate(slot, isReply: false, isEstablished: false);
        }

        if (packet.Place < 0 && packet.HasHeader && packet.ConntrackId == 0 && _locator.FindInAnyZone(in packet.Header, out packet.IsReply) is >= 0 and int zoned)
        {
            Put(slot, zoned);
        }

        if (packet.Place < 0 && !packet.IsCounted && packet.HasHeader && (packet.StepCount > 0 || packet.HasPassed) && _evidence.Keeps(packet.Header.Protocol))
        {
            if (packet.HasPassed && FindAnswered(in packet) is >= 0 and int answered)
            {
                // The firewall's own answer has passed before the rule is reported that sends it: the flow is that of the packet it answers.
                _packets[answered].IsReply = false;
                Put(answered, _evidence.Create(in _packets[answered].Header, _packets[answered].Time));
                packet.IsReply = true;
                Put(slot, _packets[answered].Place);
            }
            else
            {
                packet.IsReply = false;
                packet.IsError = false;
                Put(slot, _evidence.Create(in packet.Header, packet.Time));
            }
        }

        if (packet.Place >= 0 && packet.HasPassed && IsThere(in packet))
        {
            _evidence.Pass(packet.Place, IsOriginal(in packet), packet.IsReply);
        }

        packet.Time = 0;
    }

    // The slot of a packet that is on its way still, began earlier, and that this one answers; -1 when there is none.
    private int FindAnswered(ref readonly PacketInFlight answer)
    {
        FlowKey original = FlowKey.Reverse(in answer.Header);
        for (int slot = 0; slot < Slots; slot++)
        {
            ref PacketInFlight packet = ref _packets[slot];
            if (packet.Time != 0 && packet.Time <= answer.Time && packet.Place < 0 && !packet.IsError && packet.Id != answer.Id && FlowKey.AreEqual(in packet.Header, in original))
            {
                return slot;
            }
        }

        return -1;
    }
}
