using System.Text.Json;
using Conntracker.Core.Policies.TrialProcess;
using Conntracker.Core.Policies.Trials;

namespace Conntracker;

/// <summary>
/// A ruleset in a private network namespace that is like a host's. The real kernel says what it does to flows: one packet for each flow is sent through
/// all hooks, and the kernel's trace is read. Nothing reaches the host or its network, and nothing is left when the process ends, however it ends.
/// Not thread-safe.
/// </summary>
public sealed class FirewallTrial : IDisposable
{
    // Half of the probes that are written before results are read: neither side waits for the other, and the pipes hold them.
    private const int Window = 128;

    private readonly TrialChannel _channel;
    private readonly List<TraceStep> _steps = [];
    private readonly Queue<(Flow Flow, string? Reason)> _pending = [];

    private FirewallTrial(TrialChannel channel, TrialReady ready)
    {
        _channel = channel;
        Rules = ready.Rules;
        Notices = ready.Notices;
    }

    /// <summary>The rules and policies that are loaded, in their order.</summary>
    public IReadOnlyList<FirewallRule> Rules { get; }

    /// <summary>What of the host could not be built, and what that costs; one sentence each.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>Starts the process, builds the host, loads the rulesets, and tests itself with a packet that is accepted and one that is dropped.</summary>
    /// <exception cref="ConntrackException">
    /// The program or a tool is missing; the kernel refused; or a ruleset does not load, with the loader's own message.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static FirewallTrial Start(FirewallTrialOptions options, CancellationToken cancellation = default)
    {
        TrialChannel channel = TrialChannel.Start(options.Program);
        try
        {
            TrialSetup setup = new() { Host = options.Host, Rulesets = options.Rulesets, Without = options.Without, TestsReplies = options.TestsReplies };
            Write(channel, JsonSerializer.Serialize(setup, TrialJsonContext.Default.TrialSetup));
            channel.Input.Flush();
            TrialReady ready = JsonSerializer.Deserialize(Read(channel, cancellation), TrialJsonContext.Default.TrialReady)!;
            return ready.Error is string error ? throw new ConntrackException(ready.ErrorReason, error) : new FirewallTrial(channel, ready);
        }
        catch
        {
            channel.Dispose();
            throw;
        }
    }

    /// <summary>Tests one flow.</summary>
    /// <exception cref="ConntrackException">The process ended.</exception>
    public FlowTest Test(Flow flow) => Test([flow]).Single();

    /// <summary>Tests flows, in their order; results come while later flows are tested.</summary>
    /// <exception cref="ConntrackException">The process ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IEnumerable<FlowTest> Test(IEnumerable<Flow> flows, CancellationToken cancellation = default)
    {
        // Results that an earlier caller did not read come first.
        Discard(cancellation);
        foreach (Flow flow in flows)
        {
            cancellation.ThrowIfCancellationRequested();
            string? reason = FlowProbe.TryCreate(flow, out TrialProbe? probe);
            if (probe is not null)
            {
                Write(_channel, JsonSerializer.Serialize(probe, TrialJsonContext.Default.TrialProbe));
            }

            _pending.Enqueue((flow, reason));
            if (_pending.Count % Window == 0)
            {
                RequestResults();
            }

            // The process tests one window while the results of the one before are read.
            for (int i = _pending.Count == 2 * Window ? Window : 0; i > 0; i--)
            {
                yield return ReadResult(_pending.Dequeue(), cancellation);
            }
        }

        RequestResults();
        while (_pending.TryDequeue(out (Flow Flow, string? Reason) next))
        {
            yield return ReadResult(next, cancellation);
        }
    }

    /// <summary>Ends the process; the kernel removes its network namespace with everything in it.</summary>
    public void Dispose() => _channel.Dispose();

    private void Discard(CancellationToken cancellation)
    {
        if (_pending.Count > 0)
        {
            RequestResults();
        }

        while (_pending.TryDequeue(out (Flow Flow, string? Reason) next))
        {
            _ = ReadResult(next, cancellation);
        }
    }

    // An empty line has the process write out what it has.
    private void RequestResults()
    {
        Write(_channel, "");
        Flush(_channel);
    }

    private FlowTest ReadResult((Flow Flow, string? Reason) tested, CancellationToken cancellation) => tested.Reason is string reason
        ? new FlowTest { Flow = tested.Flow, OldVerdict = tested.Flow.Verdict, Verdict = FlowVerdict.Unknown, Reason = reason }
        : ToFlowTest(tested.Flow, JsonSerializer.Deserialize(Read(_channel, cancellation), TrialJsonContext.Default.TrialResult)!);

    private FlowTest ToFlowTest(Flow flow, TrialResult result)
    {
        _steps.AddRange(result.NewSteps);
        return new FlowTest
        {
            Flow = flow,
            OldVerdict = flow.Verdict,
            Verdict = result.Verdict,
            Rule = RuleOf(result.Rule),
            ReplyVerdict = result.ReplyVerdict,
            ReplyRule = RuleOf(result.ReplyRule),
            Translated = result.Translated,
            Path = StepsOf(result.Path),
            ReplyPath = StepsOf(result.ReplyPath),
            Changed = FlowTestComparison.HasChanged(flow.Verdict, result.Verdict, result.HasReply ? result.ReplyVerdict : null),
            Reason = result.Reason,
            DependsOn = result.DependsOn,
        };
    }

    private FirewallRule? RuleOf(int? number) => number is int index ? Rules[index] : null;

    private TraceStep[] StepsOf(IReadOnlyList<int> numbers)
    {
        TraceStep[] steps = new TraceStep[numbers.Count];
        for (int i = 0; i < steps.Length; i++)
        {
            steps[i] = _steps[numbers[i]];
        }

        return steps;
    }

    private static void Write(TrialChannel channel, string line)
    {
        try
        {
            channel.Input.Write(line);
            channel.Input.Write('\n');
        }
        catch (IOException)
        {
            throw channel.Ended();
        }
    }

    private static void Flush(TrialChannel channel)
    {
        try
        {
            channel.Input.Flush();
        }
        catch (IOException)
        {
            throw channel.Ended();
        }
    }

    // The process may take long for a large ruleset. Disposing of the trial ends it, which a cancelled call does.
    private static string Read(TrialChannel channel, CancellationToken cancellation)
    {
        Task<string?> reading = channel.Output.ReadLineAsync(cancellation).AsTask();
        try
        {
            return reading.GetAwaiter().GetResult() ?? throw channel.Ended();
        }
        catch (IOException)
        {
            throw channel.Ended();
        }
    }
}
