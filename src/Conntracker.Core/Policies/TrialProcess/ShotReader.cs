using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Packets;
using Conntracker.Core.Tracing;
using Conntracker.Core.Tracing.Iptables;
using Conntracker.Core.Tracing.Nftables;
using static Conntracker.Core.Native.NftablesConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>
/// Reads what the kernel reports about a packet. A packet that is sent through a tap device or a raw socket has passed all hooks when the call returns:
/// all reports are in the sockets by then.
/// </summary>
internal sealed class ShotReader : IDisposable
{
    // A report takes 1,280 bytes of the buffer, and one packet may match thousands of rules that only count.
    private const int BufferSize = 64 << 20;

    private const string LoggerOfIPv4 = "/proc/sys/net/netfilter/nf_log/2";
    private const string LoggerOfIPv6 = "/proc/sys/net/netfilter/nf_log/10";

    private readonly MulticastSource _trace = MulticastSource.OpenNftablesTrace(BufferSize);
    private readonly TrialSteps _steps;
    private readonly NflogSource? _lines;
    private uint _id;
    private bool _hasId;
    private int _base;
    private PacketTuple _packet;
    private int _outInterface;

    /// <summary>Opens the sockets, in the calling thread's network namespace.</summary>
    /// <param name="steps">The steps.</param>
    /// <param name="readsIptables">Whether there are rules of iptables-legacy.</param>
    /// <exception cref="ConntrackException">The kernel refused.</exception>
    public ShotReader(TrialSteps steps, bool readsIptables)
    {
        _steps = steps;
        if (readsIptables)
        {
            // The socket loads the module, without which the logger cannot be set.
            _lines = new NflogSource();
            File.WriteAllText(LoggerOfIPv4, "nfnetlink_log");
            File.WriteAllText(LoggerOfIPv6, "nfnetlink_log");
        }
    }

    /// <summary>Reads all reports that are there.</summary>
    /// <param name="shot">The packet that was sent; reports about others, which the kernel makes to answer it, are counted.</param>
    public void Read(Shot shot)
    {
        int received;
        while ((received = _trace.Receive()) != -EAGAIN)
        {
            shot.IsIncomplete |= received == -ENOBUFS;
            for (int i = 0; i < received; i++)
            {
                NetlinkMessageReader messages = new(_trace.Batch[i]);
                while (messages.TryRead(out NetlinkMessage message))
                {
                    if (NftTraceDecoder.Decode(in message, out NftTraceMessage trace) == DecodeResult.Decoded)
                    {
                        Handle(shot, in trace);
                    }
                }
            }

            if (received >= 0 && received < _trace.Batch.Capacity)
            {
                break;
            }
        }

        ReadLines(shot);
    }

    /// <summary>Forgets the packet before: its id may be used again.</summary>
    public void Begin() => _hasId = false;

    /// <summary>Waits for reports, where packets do not pass all hooks within the call that sends them.</summary>
    public void Wait(int milliseconds) => _ = Poll.IsReadable(_trace.Number, milliseconds);

    /// <inheritdoc/>
    public void Dispose()
    {
        _trace.Dispose();
        _lines?.Dispose();
    }

    private void Handle(Shot shot, scoped in NftTraceMessage trace)
    {
        if (trace.EntersBaseChain && trace.HasPacket && shot.Is(in trace.Packet))
        {
            _id = trace.Id;
            _hasId = true;
            shot.HasBegun = true;
        }
        else if (trace.EntersBaseChain && _hasId && trace.Id == _id)
        {
            // The id is used again, for a packet that the kernel made.
            _hasId = false;
        }

        if (!_hasId || trace.Id != _id)
        {
            HandleAnswer(shot, in trace);
            return;
        }

        if (trace.EntersBaseChain)
        {
            _base = _steps.BaseOf(in trace);
            _packet = trace.Packet;
            _outInterface = trace.OutInterface;
        }

        // The end of a chain is reported as a rule without a handle. That of a base chain has no meaning, since its policy follows.
        bool isChainEnd = trace.Type == TraceStepType.Rule && trace.Handle == 0;
        if (isChainEnd && _steps.BaseOf(in trace) == _base)
        {
            return;
        }

        TrialStep step = _steps.Of(in trace, _base, isChainEnd);
        if (step.Own == OwnChain.None)
        {
            shot.Add(step);
        }
        else if (step.Own != OwnChain.First && trace.Type == TraceStepType.Rule && trace.Verdict == NF_DROP)
        {
            shot.EndAt(step.Own, in _packet, _outInterface);
        }
    }

    private void HandleAnswer(Shot shot, scoped in NftTraceMessage trace)
    {
        TrialStep step = _steps.Of(in trace, entered: 0, isChainEnd: false);
        if (step.Own == OwnChain.First && trace.EntersBaseChain)
        {
            shot.AnswersBegun++;
        }
        else if (step.Own is OwnChain.LastInput or OwnChain.LastPostrouting && trace.EntersBaseChain)
        {
            shot.AnswersEnded++;
        }
        else if (step.Own == OwnChain.None && step.Outcome >= StepOutcome.Drop)
        {
            shot.AnswerDrop = step;
        }
    }

    private void ReadLines(Shot shot)
    {
        int received = 0;
        while (_lines is not null && (received = _lines.Receive()) != -EAGAIN)
        {
            shot.IsIncomplete |= received == -ENOBUFS;
            for (int i = 0; i < received; i++)
            {
                NetlinkMessageReader messages = new(_lines.Batch[i]);
                while (messages.TryRead(out NetlinkMessage message))
                {
                    if (NflogDecoder.Decode(in message, out IptablesTraceLine line) != DecodeResult.Decoded || !line.HasPacket)
                    {
                        continue;
                    }

                    TrialStep step = _steps.Of(in line);
                    if (shot.Is(in line.Packet))
                    {
                        shot.Add(step);
                    }
                    else if (step.Outcome >= StepOutcome.Drop)
                    {
                        shot.AnswerDrop = step;
                    }
                }
            }
        }
    }
}
