using System.Buffers.Binary;
using Conntracker.Core.Conntrack;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Captures;

/// <summary>The collector's handling of connection tracking: events, dumps, and what a dump repairs.</summary>
internal sealed partial class FlowCollector
{
    private FlowUpdate _message;
    private DumpReason _dumpReason;
    private bool _isDumping;
    private bool _dumpWasInterrupted;
    private long _dumpsEnded;
    private long _repaired;

    private void HandleEvents(long time, ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            if (Decode(in message, fromDump: false))
            {
                _events++;
                Apply(time);
            }
        }

        _malformed += messages.IsMalformed ? 1 : 0;
    }

    private void HandleDump(long time, ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            _dumpWasInterrupted |= (message.Flags & NetlinkConstants.NLM_F_DUMP_INTR) != 0;
            if (message.Type is NetlinkConstants.NLMSG_DONE or NetlinkConstants.NLMSG_ERROR)
            {
                EndDump(time, message.Payload.Length >= sizeof(int) ? -BinaryPrimitives.ReadInt32LittleEndian(message.Payload) : 0);
            }
            else if (Decode(in message, fromDump: true))
            {
                Apply(time);
            }
        }

        _malformed += messages.IsMalformed ? 1 : 0;
    }

    private bool Decode(in NetlinkMessage message, bool fromDump)
    {
        DecodeResult result = ConntrackDecoder.Decode(in message, fromDump, ref _message);
        _malformed += result == DecodeResult.Malformed ? 1 : 0;
        return result == DecodeResult.Decoded && Keeps(_message.Key.Protocol);
    }

    private void Apply(long time)
    {
        ApplyOutcome outcome = _table.Apply(in _message, time, out int slot);
        bool isRepair = _dumpReason == DumpReason.Repair;
        if (isRepair && _message.Kind == FlowUpdateKind.Dumped && outcome >= ApplyOutcome.Changed)
        {
            _repaired++;
        }
        else if (isRepair && _message.Kind == FlowUpdateKind.New && outcome < ApplyOutcome.Reopened && _repaired > 0)
        {
            // The dump was faster than the event that was still queued: nothing of the flow had been lost.
            _repaired--;
        }

        if (outcome >= ApplyOutcome.Changed)
        {
            Tracing.AddTuple(slot);
        }

        if (outcome >= ApplyOutcome.Reopened)
        {
            Processes.FlowAppeared(slot, Addresses, isOld: _message.Kind == FlowUpdateKind.Dumped);
        }

        if (outcome >= ApplyOutcome.Reopened && !(_isDumping && _dumpReason == DumpReason.Start))
        {
            Publish(slot);
        }
    }

    private void EndDump(long time, int error)
    {
        if (!_isDumping)
        {
            return;
        }

        if (error != 0 || _dumpWasInterrupted)
        {
            _table.AbandonDump();
        }
        else
        {
            int closed = _table.EndDump(time);
            _repaired += _dumpReason == DumpReason.Repair ? closed : 0;
        }

        _isDumping = false;
        Tracing.MayLackFlows = false;
        _dumpsEnded++;
    }
}
