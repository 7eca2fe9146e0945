namespace Conntracker;

/// <summary>
/// A ruleset in a private network namespace that is like a host's. The real kernel says what it does to flows: one packet for each flow is sent through
/// all hooks, and the kernel's trace is read. Nothing reaches the host or its network, and nothing is left when the process ends, however it ends.
/// Not thread-safe.
/// </summary>
public sealed class FirewallTrial : IDisposable
{
    private FirewallTrial()
    {
    }

    /// <summary>The rules and policies that are loaded, in their order.</summary>
    public IReadOnlyList<FirewallRule> Rules => throw new NotImplementedException();

    /// <summary>What of the host could not be built, and what that costs; one sentence each.</summary>
    public IReadOnlyList<string> Notices => throw new NotImplementedException();

    /// <summary>Starts the process, builds the host, loads the rulesets, and tests itself with a packet that is accepted and one that is dropped.</summary>
    /// <exception cref="ConntrackException">
    /// The program or a tool is missing; the kernel refused; or a ruleset does not load, with the loader's own message.
    /// </exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public static FirewallTrial Start(FirewallTrialOptions options, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Tests flows, in their order; results come while later flows are tested.</summary>
    /// <exception cref="ConntrackException">The process ended.</exception>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public IEnumerable<FlowTest> Test(IEnumerable<Flow> flows, CancellationToken cancellation = default) => throw new NotImplementedException();

    /// <summary>Ends the process; the kernel removes its network namespace with everything in it.</summary>
    public void Dispose()
    {
    }
}
