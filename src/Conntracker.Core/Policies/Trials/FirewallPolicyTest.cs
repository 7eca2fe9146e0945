using System.Diagnostics;
using Conntracker.Core.Policies.Trials;

namespace Conntracker;

/// <summary>
/// Tests flows with a ruleset, or with two rulesets, which it compares. Flows are collected while the trial is busy, so that a flow that comes alone is
/// tested at once, and many that come fast do not wait for each other's answers. Not thread-safe.
/// </summary>
public sealed class FirewallPolicyTest : IDisposable
{
    // As many as a trial writes out before it reads results.
    private const int LargestWindow = 256;

    private readonly FirewallTrial _trial;
    private readonly FirewallTrial? _old;
    private readonly bool _onlyChanged;
    private readonly List<Flow> _window = new(LargestWindow);
    private TimeSpan _lastDuration;
    private long _lastEnd = Stopwatch.GetTimestamp();

    private FirewallPolicyTest(FirewallTrial trial, FirewallTrial? old, FirewallHost host, bool onlyChanged)
    {
        _trial = trial;
        _old = old;
        _onlyChanged = onlyChanged;
        Notices = [.. host.Notices.Concat(trial.Notices).Distinct()];
    }

    /// <summary>What of the host is not known or could not be built, and what that costs; one sentence each.</summary>
    public IReadOnlyList<string> Notices { get; }

    /// <summary>The rules and policies of the ruleset, in their order.</summary>
    public IReadOnlyList<FirewallRule> Rules => _trial.Rules;

    /// <summary>How many flows were tested.</summary>
    public long Tested { get; private set; }

    /// <summary>For how many of them <see cref="FlowTest.Changed"/> is true.</summary>
    public long Changed { get; private set; }

    /// <summary>For how many of them a verdict is unknown, of the ruleset or of the one that it is compared with.</summary>
    public long Unknown { get; private set; }

    /// <summary>Reads the host and the rulesets, and starts the trials.</summary>
    /// <exception cref="ArgumentException">The options contradict each other.</exception>
    /// <exception cref="ConntrackException">
    /// A file cannot be read or does not load, a program is missing, or the kernel refused; the message says what to do.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static FirewallPolicyTest Start(FirewallPolicyTestOptions options, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.UsesCurrent && options.Paths.Count > 0)
        {
            throw new ArgumentException("Test either files or the ruleset that is loaded now, not both.", nameof(options));
        }

        if (options.ComparesWithCurrent && options.OldPaths.Count > 0)
        {
            throw new ArgumentException("Compare with either files or the ruleset that is loaded now, not both.", nameof(options));
        }

        // Files first: a mistake in a path is found without waiting for anything else.
        IReadOnlyList<RulesetSource> files = RulesetFiles.Read(options.Paths, options.UsesIptablesNft);
        IReadOnlyList<RulesetSource> oldFiles = RulesetFiles.Read(options.OldPaths, options.UsesIptablesNft);
        IReadOnlyList<RulesetSource> current = options.UsesCurrent || options.ComparesWithCurrent
            ? RulesetSource.ReadCurrent(options.NetworkNamespace, cancellation)
            : [];
        IReadOnlyList<RulesetSource> rulesets = options.UsesCurrent ? current : files;
        FirewallTrialOptions trial = new()
        {
            Host = options.Host ?? FirewallHostReader.Read(options.NetworkNamespace, cancellation),
            Rulesets = rulesets,
            Without = options.Without,
            TestsReplies = options.TestsReplies,
            Program = options.Program,
        };
        IReadOnlyList<RulesetSource> old = options.ComparesWithCurrent ? current : options.OldPaths.Count > 0 ? oldFiles : rulesets;
        return Start(trial, options.Compares ? trial with { Rulesets = old, Without = [] } : null, options.OnlyChanged, cancellation);
    }

    /// <summary>Adds a flow.</summary>
    /// <returns>Flows whose tests are complete by now, in the order in which they were added; often none.</returns>
    /// <exception cref="ConntrackException">The process of a trial ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IReadOnlyList<FlowTest> Add(Flow flow, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(flow);
        _window.Add(flow);

        // Collecting for as long as the last answers took at most doubles the time that flows wait, and keeps both sides busy.
        return _window.Count < LargestWindow && Stopwatch.GetElapsedTime(_lastEnd) < _lastDuration ? [] : Complete(cancellation);
    }

    /// <summary>Tests what was added and is not complete yet.</summary>
    /// <exception cref="ConntrackException">The process of a trial ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IReadOnlyList<FlowTest> Complete(CancellationToken cancellation = default)
    {
        if (_window.Count == 0)
        {
            return [];
        }

        long began = Stopwatch.GetTimestamp();
        Flow[] flows = [.. _window];
        _window.Clear();
        FlowTest[] tests = _old is null ? [.. _trial.Test(flows, cancellation)] : Compare(flows, _old, cancellation);
        _lastEnd = Stopwatch.GetTimestamp();
        _lastDuration = Stopwatch.GetElapsedTime(began, _lastEnd);
        return [.. tests.Where(Counts)];
    }

    /// <summary>Tests flows, in their order.</summary>
    /// <exception cref="ConntrackException">The process of a trial ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IEnumerable<FlowTest> Test(IEnumerable<Flow> flows, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(flows);
        foreach (Flow flow in flows)
        {
            foreach (FlowTest test in Add(flow, cancellation))
            {
                yield return test;
            }
        }

        foreach (FlowTest test in Complete(cancellation))
        {
            yield return test;
        }
    }

    /// <summary>Ends the processes; the kernel removes their network namespaces with everything in them.</summary>
    public void Dispose()
    {
        _trial.Dispose();
        _old?.Dispose();
    }

    private static FirewallPolicyTest Start(FirewallTrialOptions options, FirewallTrialOptions? old, bool onlyChanged, CancellationToken cancellation)
    {
        if (old is null)
        {
            return new FirewallPolicyTest(FirewallTrial.Start(options, cancellation), null, options.Host, onlyChanged);
        }

        Task<FirewallTrial> beside = Task.Run(() => FirewallTrial.Start(old, cancellation), CancellationToken.None);
        FirewallTrial? trial = null;
        try
        {
            trial = FirewallTrial.Start(options, cancellation);
            return new FirewallPolicyTest(trial, beside.GetAwaiter().GetResult(), options.Host, onlyChanged);
        }
        catch
        {
            trial?.Dispose();
            beside.ContinueWith(each => each.Result.Dispose(), CancellationToken.None, TaskContinuationOptions.OnlyOnRanToCompletion, TaskScheduler.Default);
            throw;
        }
    }

    private FlowTest[] Compare(Flow[] flows, FirewallTrial old, CancellationToken cancellation)
    {
        Task<FlowTest[]> beside = Task.Run(() => old.Test(flows, cancellation).ToArray(), CancellationToken.None);
        FlowTest[] tests;
        try
        {
            tests = [.. _trial.Test(flows, cancellation)];
        }
        catch
        {
            // The other trial must be at rest before it is disposed of; the first error is the one to report.
            beside.ContinueWith(each => each.Exception, TaskScheduler.Default).Wait(CancellationToken.None);
            throw;
        }

        return [.. tests.Zip(beside.GetAwaiter().GetResult(), FlowTestDifference.WithOld)];
    }

    private bool Counts(FlowTest test)
    {
        Tested++;
        Changed += test.Changed == true ? 1 : 0;
        Unknown += test.Verdict == FlowVerdict.Unknown || (_old is not null && test.OldVerdict == FlowVerdict.Unknown) ? 1 : 0;
        return _onlyChanged ? test.Changed == true : _old is null || FlowTestDifference.Differs(test);
    }
}
