using System.Text;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>
/// The tables of the trial itself. The first chains have each packet traced; the last ones end it, after every rule of the user: nothing of this
/// network namespace answers a packet or sends one on. The tables have the flag <c>owner</c>, so that a ruleset's <c>flush ruleset</c> leaves them.
/// </summary>
internal sealed class TrialTables : IDisposable
{
    /// <summary>The name of both tables.</summary>
    public const string Name = "conntracker_trial";

    /// <summary>The chains that see a packet first, by their beginning.</summary>
    public const string First = "first_";

    /// <summary>The chains that end a packet, by their beginning.</summary>
    public const string Last = "last_";

    // The lowest and the highest priority. Connection tracking confirms a connection at the highest one too. Of two hooks with the same priority the kernel
    // calls the newer one first: these chains must exist before the first rule that needs connection tracking, so that a connection exists when they end its
    // first packet.
    private const string Main = $$"""
        table inet {{Name}} {
            flags owner
            chain {{First}}prerouting { type filter hook prerouting priority -2147483648; meta nftrace set 1; }
            chain {{First}}output { type filter hook output priority -2147483648; meta nftrace set 1; }
            chain {{Last}}input { type filter hook input priority 2147483647; drop; }
            chain {{Last}}postrouting { type filter hook postrouting priority 2147483647; oif "lo" accept; drop; }
        }
        """;

    private readonly NftContext _context;

    private TrialTables(NftContext context) => _context = context;

    /// <summary>Creates the tables, in the calling thread's network namespace, which must have no other.</summary>
    /// <exception cref="ConntrackException">libnftables is missing, or the kernel refused.</exception>
    public static TrialTables Create()
    {
        NftContext context = NftContext.Open();
        try
        {
            TrialTables tables = new(context);
            tables.Run(Main);
            return tables;
        }
        catch
        {
            context.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Has packets traced from where they enter an interface, and marked as their source address says: 02:4a and the four bytes of the mark.
    /// </summary>
    /// <param name="interfaces">The names of the interfaces.</param>
    public void AddIngress(IEnumerable<string> interfaces)
    {
        StringBuilder text = new();
        text.Append("table netdev ").Append(Name).Append(" {\n flags owner\n");
        int number = 0;
        foreach (string name in interfaces)
        {
            text.Append(" chain ").Append(First).Append("ingress_").Append(++number).Append(" { type filter hook ingress device \"").Append(name)
                .Append("\" priority -2147483648; meta nftrace set 1; ether saddr & ff:ff:00:00:00:00 == 02:4a:00:00:00:00 meta mark set @ll,64,32; }\n");
        }

        Run(text.Append("}\n").ToString());
    }

    /// <summary>Runs nft's commands.</summary>
    /// <exception cref="ConntrackException">The kernel refused.</exception>
    public void Run(string commands)
    {
        if (!_context.TryRun(commands, out string answer))
        {
            throw new ConntrackException(ConntrackErrorReason.KernelRefused, $"The nftables tables of the trial could not be created: {answer}");
        }
    }

    /// <summary>Deletes a table; it may have gone already.</summary>
    public void Delete(string family, string table) => _context.TryRun($"delete table {family} {table}", out _);

    /// <summary>Whether a table exists.</summary>
    public bool Has(string family, string table) => _context.TryRun($"list table {family} {table}", out _);

    /// <summary>Deletes the tables, as the kernel does when the process ends.</summary>
    public void Dispose() => _context.Dispose();
}
