using System.Globalization;

namespace Conntracker.Core.Hosts;

/// <summary>Reads the names and numbers of /etc/passwd and /etc/group. Network directories are not queried: an answer could take seconds.</summary>
internal static class AccountNames
{
    /// <summary>The names of the lines of such a file; of a name that stands there twice, the first number.</summary>
    /// <param name="lines">Lines of the form <c>name:password:number:…</c>.</param>
    /// <param name="maximum">How many names are kept.</param>
    /// <param name="beyond">How many names were left out.</param>
    public static Dictionary<string, uint> Read(IEnumerable<string> lines, int maximum, out long beyond)
    {
        Dictionary<string, uint> names = new(StringComparer.Ordinal);
        beyond = 0;
        foreach (string line in lines)
        {
            string[] fields = line.Split(':', 4);
            if (fields.Length < 3 || fields[0].Length == 0 || !uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint number))
            {
                continue;
            }

            if (names.Count == maximum && !names.ContainsKey(fields[0]))
            {
                beyond++;
                continue;
            }

            names.TryAdd(fields[0], number);
        }

        return names;
    }
}
