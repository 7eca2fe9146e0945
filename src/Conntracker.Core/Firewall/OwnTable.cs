namespace Conntracker.Core.Firewall;

/// <summary>
/// The one nftables table that Conntracker makes. It has the flag <c>owner</c>: nobody else can change it, and the kernel removes it
/// with the socket that made it, however the process ends. Its rule stands in a chain without a hook: no packet ever passes it, but
/// that it is there makes the kernel track connections in this network namespace.
/// </summary>
internal sealed class OwnTable : IDisposable
{
    private const int MaximumTables = 64;

    private readonly NftContext _context;

    private OwnTable(NftContext context, string name)
    {
        _context = context;
        Name = name;
    }

    /// <summary>The table's name in family inet: <c>conntracker</c>, or with a number when another capture has that one.</summary>
    public string Name { get; }

    /// <summary>Makes the table in the calling thread's network namespace.</summary>
    /// <exception cref="ConntrackException">libnftables is missing, or the kernel refused.</exception>
    public static OwnTable Create()
    {
        NftContext context = NftContext.Open();
        string error = "";
        for (int number = 1; number <= MaximumTables; number++)
        {
            string name = number == 1 ? "conntracker" : $"conntracker_{number}";
            string commands =
                $"create table inet {name} {{ flags owner; }}\n"
                + $"add chain inet {name} tracking\n"
                + $"add rule inet {name} tracking ct state new\n";
            if (context.TryRun(commands, out string answer))
            {
                return new OwnTable(context, name);
            }

            // A name that is taken (EEXIST), or taken by an owner (EPERM), is told in words only: try the next.
            error = answer;
        }

        context.Dispose();
        throw new ConntrackException(
            ConntrackErrorReason.KernelRefused,
            $"The nftables table 'inet conntracker' could not be made: {error} nf_tables with the flag 'owner' needs Linux 5.12 or later and CAP_NET_ADMIN.");
    }

    /// <summary>Removes the table.</summary>
    public void Dispose() => _context.Dispose();
}
