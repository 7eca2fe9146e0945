using Conntracker.Core.Packets;
using Conntracker.Core.Tracing;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>What the kernel reported about one packet that was sent. Reused for each packet.</summary>
internal sealed class Shot
{
    // A packet may match thousands of rules without a verdict; what is beyond is not shown, but the verdict is known.
    private const int MaximumSteps = 1024;

    private const ulong LengthMask = 0xffff00;

    private readonly List<TrialStep> _steps = [];
    private ulong _fingerprint;

    /// <summary>The steps of the packet, in the order in which it met them, first those of nftables, then those of iptables-legacy.</summary>
    public IReadOnlyList<TrialStep> Steps => _steps;

    /// <summary>The error number of the call that sent it; 0 when the kernel took it.</summary>
    public int Errno { get; set; }

    /// <summary>Whether the first chain saw it.</summary>
    public bool HasBegun { get; set; }

    /// <summary>The last chain that ended it; <see cref="OwnChain.None"/> when none did: something dropped it before.</summary>
    public OwnChain End { get; private set; }

    /// <summary>The packet as it reached the last chain. Undefined before.</summary>
    public PacketTuple EndPacket { get; private set; }

    /// <summary>The number of the interface that it leaves by; 0 for a packet that ended in the hook input.</summary>
    public int EndInterface { get; private set; }

    /// <summary>The last step that dropped it; null when none did.</summary>
    public TrialStep? Drop { get; private set; }

    /// <summary>The last step of the packet; null when there is none.</summary>
    public TrialStep? LastStep { get; private set; }

    /// <summary>Whether messages about it were lost.</summary>
    public bool IsIncomplete { get; set; }

    /// <summary>How many packets that the kernel made to answer this one began.</summary>
    public int AnswersBegun { get; set; }

    /// <summary>How many of them reached a last chain.</summary>
    public int AnswersEnded { get; set; }

    /// <summary>The step that dropped an answer; null when none did.</summary>
    public TrialStep? AnswerDrop { get; set; }

    /// <summary>Whether nothing more is to be expected about it.</summary>
    public bool IsOver => End != OwnChain.None || Drop is not null;

    /// <summary>Begins a packet.</summary>
    /// <param name="fingerprint">The packet's fingerprint, by which reports about it are recognized.</param>
    public void Begin(ulong fingerprint)
    {
        _steps.Clear();
        _fingerprint = fingerprint & ~LengthMask;
        Errno = 0;
        HasBegun = false;
        End = OwnChain.None;
        EndPacket = default;
        EndInterface = 0;
        Drop = null;
        LastStep = null;
        IsIncomplete = false;
        AnswersBegun = 0;
        AnswersEnded = 0;
        AnswerDrop = null;
    }

    /// <summary>Whether a header is that of the packet: rules may have changed its addresses and ports, but not its number.</summary>
    public bool Is(in PacketTuple packet) => (packet.Fingerprint & ~LengthMask) == _fingerprint;

    /// <summary>Adds a step of the ruleset.</summary>
    public void Add(TrialStep step)
    {
        if (_steps.Count < MaximumSteps)
        {
            _steps.Add(step);
        }

        LastStep = step;
        Drop = step.Outcome >= StepOutcome.Drop ? step : Drop;
    }

    /// <summary>The packet reached a last chain. Of a copy that a multicast packet leaves behind nothing more is kept.</summary>
    public void EndAt(OwnChain chain, in PacketTuple packet, int outInterface)
    {
        if (End == OwnChain.None)
        {
            End = chain;
            EndPacket = packet;
            EndInterface = outInterface;
        }
    }
}
