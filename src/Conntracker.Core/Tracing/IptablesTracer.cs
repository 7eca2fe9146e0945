using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Tracing.Iptables;

namespace Conntracker.Core.Tracing;

/// <summary>
/// Joins the TRACE lines of iptables-legacy with flows, by the packet's header: the lines have no id. A line waits briefly while its flow is not
/// known yet, or while its ruleset has changed and was not read again.
/// </summary>
internal sealed class IptablesTracer
{
    private const int MaximumWaiting = 1 << 16;

    private static readonly long s_patience = TimeSpan.FromMilliseconds(400).Ticks;
    private static readonly long s_rulesPatience = TimeSpan.FromSeconds(5).Ticks;

    private readonly FlowTable _flows;
    private readonly FlowLocator _locator;
    private readonly TraceWriter _details;
    private readonly StepTable _steps;
    private readonly StringPool _names;
    private readonly TraceRequestBook _requests;
    private readonly IncompleteTraces _incomplete;
    private readonly Queue<Line> _waiting = [];

    /// <param name="flows">The flows.</param>
    /// <param name="locator">Finds the flow of a header.</param>
    /// <param name="details">Writes the steps of flows.</param>
    /// <param name="steps">The steps.</param>
    /// <param name="names">The names that steps hold as numbers.</param>
    /// <param name="requests">The requested traces.</param>
    /// <param name="incomplete">Counts lines whose step is missing: there are too many steps, names or base chains.</param>
    public IptablesTracer(
        FlowTable flows, FlowLocator locator, TraceWriter details, StepTable steps, StringPool names, TraceRequestBook requests, IncompleteTraces incomplete)
    {
        _flows = flows;
        _locator = locator;
        _details = details;
        _steps = steps;
        _names = names;
        _requests = requests;
        _incomplete = incomplete;
    }

    /// <summary>Handles a line.</summary>
    public void Take(scoped ref readonly IptablesTraceLine line, long time)
    {
        if (!line.HasPacket || !_details.Keeps(line.Packet.Key.Protocol))
        {
            return;
        }

        byte family = line.Family == FlowFamily.IPv6 ? (byte)NftablesConstants.NFPROTO_IPV6 : (byte)NftablesConstants.NFPROTO_IPV4;
        int table = _names.Of(line.Table);
        BaseKey entered = new(TraceEngine.Iptables, family, table, line.Hook);
        StepKey key = new(
            TraceEngine.Iptables, family, _steps.BaseOf(in entered), table,
            _names.Of(line.Chain), line.Type, (ulong)Math.Max(0, line.Position), Verdict: 0, JumpChain: 0);
        Line waiting = new() { Header = line.Packet.Key, IsError = line.Packet.IsIcmpError, Step = key, Time = time };

        // In order: an earlier line may belong to the same flow.
        Retry(time);
        if (_waiting.Count > 0 || !TryAddStep(in waiting, time))
        {
            if (_waiting.Count == MaximumWaiting)
            {
                AddStep(_waiting.Dequeue());
            }

            _waiting.Enqueue(waiting);
        }
    }

    /// <summary>Adds the steps of waiting lines, up to the first line that must still wait.</summary>
    /// <param name="now">Ticks of UTC; <see cref="long.MaxValue"/> when all lines have arrived.</param>
    public void Retry(long now)
    {
        while (_waiting.TryPeek(out Line line) && TryAddStep(in line, now))
        {
            _waiting.Dequeue();
        }
    }

    /// <summary>Gives waiting lines their steps before the rules are replaced: they belong to the rules known now.</summary>
    public void Bind() => Replace(line => line.Number is null && !_steps.IsPending(in line.Step) ? line with { Number = _steps.Of(in line.Step) } : line);

    /// <summary>Replaces the numbers of steps: <see cref="StepTable.TakeDuplicates"/>.</summary>
    public void Renumber(int[] numbers) => Replace(line => line.Number is >= 0 and int number ? line with { Number = numbers[number] } : line);

    private void Replace(Func<Line, Line> change)
    {
        for (int count = _waiting.Count; count > 0; count--)
        {
            _waiting.Enqueue(change(_waiting.Dequeue()));
        }
    }

    private bool TryAddStep(in Line line, long now)
    {
        bool isPending = line.Number is null && _steps.IsPending(in line.Step);
        bool isPatient = now - line.Time < (isPending ? s_rulesPatience : s_patience);
        bool isKnown = _locator.FindInAnyZone(in line.Header, out _) >= 0;
        if (isPatient && (!isKnown || isPending))
        {
            return false;
        }

        AddStep(line);
        return true;
    }

    private void AddStep(Line line)
    {
        int slot = _locator.FindInAnyZone(in line.Header, out bool isReply);
        bool isOriginal = !isReply && !line.IsError;
        if (slot < 0)
        {
            slot = _details.Create(in line.Header, line.Time);
            isOriginal = true;
        }

        int step = line.Number ?? _steps.Of(in line.Step);
        if (step < 0)
        {
            _incomplete.AddLine();
        }

        _details.AddStep(slot, step, isOriginal);
        _requests.Count(in _flows[slot], packets: 0, steps: 1);
    }

    private struct Line
    {
        public FlowKey Header;
        public bool IsError;
        public StepKey Step;
        public int? Number;
        public long Time;
    }
}
