using System.Text;
using Microsoft.Win32.SafeHandles;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// The existing legacy tables in the calling thread's network namespace. No other may be requested: a request for it makes the kernel load its module
/// and hook it into the path of packets.
/// </summary>
internal static class IptablesTables
{
    private const int MaximumLength = 1024;

    /// <summary>Whether there may be legacy tables whose names this process may not read.</summary>
    public static bool IsDenied => IsDeniedFile("ip_tables_names") || IsDeniedFile("ip6_tables_names");

    /// <summary>The tables' names (<c>filter</c>, <c>nat</c>, …); empty when the family has none.</summary>
    public static string[] Names(FlowFamily family)
    {
        string file = family switch
        {
            FlowFamily.IPv4 => "ip_tables_names",
            FlowFamily.IPv6 => "ip6_tables_names",
            _ => "",
        };
        try
        {
            if (file.Length == 0)
            {
                return [];
            }

            // Read often, and short: a family has only a few tables.
            using SafeFileHandle handle = File.OpenHandle($"/proc/thread-self/net/{file}");
            Span<byte> names = stackalloc byte[MaximumLength];
            int length = RandomAccess.Read(handle, names, 0);
            return Encoding.UTF8.GetString(names[..length]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The kernel has no legacy tables, or they may not be read: then there is nothing to request either.
            return [];
        }
    }

    private static bool IsDeniedFile(string file)
    {
        try
        {
            File.OpenHandle($"/proc/thread-self/net/{file}").Dispose();
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
