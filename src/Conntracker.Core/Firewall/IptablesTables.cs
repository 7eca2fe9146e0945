namespace Conntracker.Core.Firewall;

/// <summary>
/// The legacy tables that are there already in the calling thread's network namespace. Only these may be asked for: asking for another
/// one makes the kernel load its module and hook it into the packets' way.
/// </summary>
internal static class IptablesTables
{
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
            return file.Length == 0 ? [] : File.ReadAllText($"/proc/thread-self/net/{file}").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // The kernel has no legacy tables, or they may not be read: then there is nothing to ask for either.
            return [];
        }
    }
}
