using Conntracker.Core.KernelSettings;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Tracing.Nftables;

/// <summary>
/// The one nftables table that Conntracker creates. It has the flag <c>owner</c>: no other process can change it, and the kernel removes it with the
/// socket that created it, however the process ends. Its first rule is in a chain without a hook: no packet ever meets it, but its presence makes the
/// kernel track connections in this network namespace. On a kernel without that flag (before 5.12) the rule names the process, so that the next start
/// can find and remove a leftover table.
/// </summary>
internal sealed class ConntrackerTable : IDisposable
{
    private const int MaximumTables = 64;
    private const string Taken = "File exists";

    private readonly NftContext _context;
    private bool _isDisposed;

    private ConntrackerTable(NftContext context, string name, bool isOwned)
    {
        _context = context;
        Name = name;
        IsOwned = isOwned;
    }

    /// <summary>The table's name in family inet: <c>conntracker</c>, or with a number when another capture has that name.</summary>
    public string Name { get; }

    /// <summary>Whether the kernel removes the table when the process ends, however it ends.</summary>
    public bool IsOwned { get; }

    /// <summary>Creates the table in the calling thread's network namespace.</summary>
    /// <param name="asksForOwnership">False to omit the flag <c>owner</c>, as on a kernel that does not support it.</param>
    /// <exception cref="ConntrackException">libnftables is missing, or the kernel refused.</exception>
    public static ConntrackerTable Create(bool asksForOwnership = true)
    {
        NftContext context = NftContext.Open();
        string error = "";
        for (int number = 1; number <= MaximumTables; number++)
        {
            string name = OwnTable.NameOf(number);
            RemoveLeftover(context, name);
            if (asksForOwnership && context.TryRun(Creation(name, "owner", ""), out error))
            {
                return new ConntrackerTable(context, name, isOwned: true);
            }

            string process = $" comment \"{ProcessIdentity.Own}\"";
            bool mayBeUnknown = !asksForOwnership || IsFlagUnknown(error);
            if (mayBeUnknown && context.TryRun(Creation(name, flags: null, process), out error))
            {
                return new ConntrackerTable(context, name, isOwned: false);
            }

            // Only libnftables' message shows that a name is taken, perhaps by an owner (EPERM). When no table has it, another name would fail as
            // well, and in a kernel without nf_tables each attempt makes the kernel search for modules.
            if (!error.Contains(Taken, StringComparison.Ordinal) && !context.TryRun($"list table {OwnTable.Family} {name}", out _))
            {
                break;
            }
        }

        context.Dispose();
        throw new ConntrackException(
            ConntrackErrorReason.KernelRefused,
            $"The nftables table 'inet conntracker' could not be created: {error.TrimEnd('.', ' ')}. " +
                "This requires nf_tables in the kernel, and CAP_NET_ADMIN.");
    }

    /// <summary>Runs commands on the table, all or none.</summary>
    /// <param name="commands">nft commands.</param>
    /// <param name="failure">What could not be done, for the message.</param>
    /// <exception cref="ConntrackException">The kernel or libnftables refused.</exception>
    public void Run(string commands, string failure)
    {
        if (!_context.TryRun(commands, out string answer))
        {
            throw new ConntrackException(ConntrackErrorReason.KernelRefused, $"{failure}: {answer}");
        }
    }

    /// <summary>Removes the table.</summary>
    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        if (!IsOwned)
        {
            _ = _context.TryRun($"delete table {OwnTable.Family} {Name}", out _);
        }

        _context.Dispose();
    }

    private static string Creation(string name, string? flags, string comment) =>
        new NftScript(name).CreateTable(flags).AddChain(OwnChains.Tracking).AddRule(OwnChains.Tracking, $"ct state new{comment}").ToString();

    private static bool IsFlagUnknown(string error) =>
        !error.Contains(Taken, StringComparison.Ordinal) && !error.Contains("Operation not permitted", StringComparison.Ordinal);

    // Only a rule that names a process in our format, and one that has ended.
    private static void RemoveLeftover(NftContext context, string name)
    {
        if (!context.TryRun($"list chain {OwnTable.Family} {name} {OwnChains.Tracking}", out string text))
        {
            return;
        }

        int start = text.IndexOf(ProcessIdentity.Prefix, StringComparison.Ordinal);
        int end = start < 0 ? -1 : text.IndexOf('"', start);
        if (end > 0 && ProcessIdentity.IsGone(text[start..end]))
        {
            _ = context.TryRun($"delete table {OwnTable.Family} {name}", out _);
        }
    }
}
