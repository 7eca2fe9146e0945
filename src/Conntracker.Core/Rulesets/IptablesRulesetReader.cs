namespace Conntracker.Core.Rulesets;

/// <summary>
/// Reads the text of the legacy rules with iptables-legacy-save and ip6tables-legacy-save: only these programs know the extensions of x_tables. A
/// family without legacy tables is not read.
/// </summary>
internal sealed class IptablesRulesetReader : IDisposable
{
    private const string Package = "iptables";

    // Hundreds of thousands of rules take minutes. The capture does not wait for them, and cancels the read when it ends.
    private static readonly TimeSpan s_patience = TimeSpan.FromMinutes(5);

    private readonly BackgroundReader<IptablesRulesetTexts> _reader;

    /// <param name="done">Called on another thread after each requested read, whether or not it succeeded.</param>
    public IptablesRulesetReader(Action done) => _reader = new BackgroundReader<IptablesRulesetTexts>("conntracker-ipt", Read, done);

    /// <summary>Why the last read failed; null when it succeeded, or there was none.</summary>
    public string? Error => _reader.Error;

    /// <summary>Reads now, in the network namespace of the calling thread: a child inherits it from the thread that starts it.</summary>
    /// <exception cref="ConntrackException">The program is missing, or failed.</exception>
    public static IptablesRulesetTexts Read() => Read(CancellationToken.None);

    /// <inheritdoc cref="Read()"/>
    /// <param name="cancellation">Kills the child.</param>
    /// <exception cref="OperationCanceledException">It was killed.</exception>
    public static IptablesRulesetTexts Read(CancellationToken cancellation) =>
        new(Save(FlowFamily.IPv4, "iptables-legacy-save", cancellation), Save(FlowFamily.IPv6, "ip6tables-legacy-save", cancellation));

    /// <summary>Requests a read and returns at once.</summary>
    public void Request() => _reader.Request();

    /// <summary>Takes the newest texts, once.</summary>
    /// <returns>False when there are none since the last call.</returns>
    public bool TryTake(out IptablesRulesetTexts texts) => _reader.TryTake(out texts);

    /// <inheritdoc/>
    public void Dispose() => _reader.Dispose();

    private static string? Save(FlowFamily family, string name, CancellationToken cancellation)
    {
        if (IptablesTables.Names(family).Length == 0)
        {
            return null;
        }

        string program = ChildProgram.Find(name) ?? throw new ConntrackException(
            ConntrackErrorReason.LibnftablesMissing,
            $"{name} is missing: install the package {Package} (sudo apt-get install {Package}). " +
                "Without it, steps of iptables-legacy show positions, but no text and no verdict.");
        return ChildProgram.Run(program, [], s_patience, cancellation);
    }
}
