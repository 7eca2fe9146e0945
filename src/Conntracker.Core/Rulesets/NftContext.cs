using System.Runtime.InteropServices;
using Conntracker.Core.Native;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// A libnftables context: nft's commands in, text out. Its socket belongs to the network namespace of the thread that opened it; names of interfaces
/// come from the namespace of the thread that runs a command, so both must be the same.
/// </summary>
internal sealed class NftContext : IDisposable
{
    // libnftables has global state behind all contexts; it is not documented that two threads may create and run them at once.
    private static readonly Lock s_lock = new();

    private readonly SafeNftContext _context;

    private NftContext(SafeNftContext context) => _context = context;

    /// <summary>Opens a context in the calling thread's network namespace.</summary>
    /// <param name="outputFlags">The contents of the output: NFT_CTX_OUTPUT_…</param>
    /// <exception cref="ConntrackException">libnftables is missing, or has no socket.</exception>
    public static NftContext Open(uint outputFlags = 0)
    {
        try
        {
            lock (s_lock)
            {
                SafeNftContext context = new(Libnftables.nft_ctx_new(Libnftables.NFT_CTX_DEFAULT));
                if (context.IsInvalid)
                {
                    throw new ConntrackException(ConntrackErrorReason.KernelRefused, "libnftables could not open its netlink socket (nft_ctx_new).");
                }

                // libnftables opens its socket without close-on-exec: child processes would inherit it, and with it our table.
                CloseOnExec.SetOnNetlink(NetlinkConstants.NETLINK_NETFILTER);
                _ = Libnftables.nft_ctx_buffer_output(context);
                _ = Libnftables.nft_ctx_buffer_error(context);
                Libnftables.nft_ctx_output_set_flags(context, outputFlags);
                return new NftContext(context);
            }
        }
        catch (DllNotFoundException error)
        {
            throw new ConntrackException(
                ConntrackErrorReason.LibnftablesMissing,
                $"{Libnftables.Library} is missing: install the package {Libnftables.Package} (sudo apt-get install {Libnftables.Package}).",
                error);
        }
    }

    /// <summary>Runs commands.</summary>
    /// <param name="commands">In the format of a file for <c>nft -f</c>; all of them are done, or none.</param>
    /// <param name="answer">The output; after a failure, the first line of libnftables' error.</param>
    /// <returns>Whether it succeeded.</returns>
    public bool TryRun(string commands, out string answer)
    {
        lock (s_lock)
        {
            if (Libnftables.nft_run_cmd_from_buffer(_context, commands) == 0)
            {
                answer = Marshal.PtrToStringUTF8(Libnftables.nft_ctx_get_output_buffer(_context)) ?? "";
                return true;
            }

            string text = Marshal.PtrToStringUTF8(Libnftables.nft_ctx_get_error_buffer(_context)) ?? "";
            int end = text.IndexOf('\n', StringComparison.Ordinal);
            answer = (end < 0 ? text : text[..end]).Trim();
            return false;
        }
    }

    /// <summary>Closes it; its table with the flag <c>owner</c> is removed with it.</summary>
    public void Dispose()
    {
        lock (s_lock)
        {
            _context.Dispose();
        }
    }
}
