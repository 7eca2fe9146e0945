using System.Runtime.InteropServices;
using Conntracker.Core.Native;

namespace Conntracker.Core.Firewall;

/// <summary>
/// The one nftables table that Conntracker makes. It has the flag <c>owner</c>: nobody else can change it, and the kernel removes it
/// with the socket that made it, however the process ends. Its rule stands in a chain without a hook: no packet ever passes it, but
/// that it is there makes the kernel track connections in this network namespace.
/// </summary>
internal sealed class OwnTable : IDisposable
{
    private const int MaximumTables = 64;

    // libnftables keeps state of its own behind all contexts; making and running them is not said to be safe on two threads.
    private static readonly Lock s_gate = new();

    private readonly SafeNftContext _context;

    private OwnTable(SafeNftContext context, string name)
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
        lock (s_gate)
        {
            SafeNftContext context = OpenContext();
            string error = "";
            for (int number = 1; number <= MaximumTables; number++)
            {
                string name = number == 1 ? "conntracker" : $"conntracker_{number}";
                string commands =
                    $"create table inet {name} {{ flags owner; }}\n"
                    + $"add chain inet {name} tracking\n"
                    + $"add rule inet {name} tracking ct state new\n";
                if (Libnftables.nft_run_cmd_from_buffer(context, commands) == 0)
                {
                    return new OwnTable(context, name);
                }

                // A name that is taken (EEXIST), or taken by an owner (EPERM), is told in words only: try the next.
                error = ErrorOf(context);
            }

            context.Dispose();
            throw new ConntrackException(
                ConntrackErrorReason.KernelRefused,
                $"The nftables table 'inet conntracker' could not be made: {error} nf_tables with the flag 'owner' needs Linux 5.12 or later and CAP_NET_ADMIN.");
        }
    }

    /// <summary>Removes the table.</summary>
    public void Dispose()
    {
        lock (s_gate)
        {
            _context.Dispose();
        }
    }

    private static SafeNftContext OpenContext()
    {
        try
        {
            SafeNftContext context = new(Libnftables.nft_ctx_new(Libnftables.NFT_CTX_DEFAULT));
            if (context.IsInvalid)
            {
                throw new ConntrackException(ConntrackErrorReason.KernelRefused, "libnftables could not open its netlink socket (nft_ctx_new).");
            }

            _ = Libnftables.nft_ctx_buffer_output(context);
            _ = Libnftables.nft_ctx_buffer_error(context);
            return context;
        }
        catch (DllNotFoundException error)
        {
            throw new ConntrackException(
                ConntrackErrorReason.LibraryMissing,
                $"{Libnftables.Library} is missing: install the package {Libnftables.Package} (sudo apt-get install {Libnftables.Package}).",
                error);
        }
    }

    private static string ErrorOf(SafeNftContext context)
    {
        string text = Marshal.PtrToStringUTF8(Libnftables.nft_ctx_get_error_buffer(context)) ?? "";
        int end = text.IndexOf('\n', StringComparison.Ordinal);
        return (end < 0 ? text : text[..end]).Trim();
    }
}
