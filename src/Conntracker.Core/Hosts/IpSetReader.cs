using Conntracker.Core.Netlink;
using Conntracker.Core.Rulesets;

namespace Conntracker.Core.Hosts;

/// <summary>Reads the sets of ipset(8) in the calling thread's network namespace.</summary>
internal static class IpSetReader
{
    private const string Module = "/sys/module/ip_set";
    private const int MaximumSets = 10_000;
    private const int MaximumCharacters = 64 * 1024 * 1024;

    /// <summary>Reads the sets; none when the kernel's module is not loaded, which the program would load.</summary>
    /// <param name="omissions">Collects what could not be read.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public static IReadOnlyList<FirewallIpSet> Read(HostOmissions omissions, CancellationToken cancellation)
    {
        if (!Directory.Exists(Module))
        {
            return [];
        }

        if (ChildProgram.Find("ipset") is not string program)
        {
            // A kernel with ipset built in always has the directory, also where nobody uses sets.
            if (!MayHaveSets(cancellation))
            {
                return [];
            }

            omissions.Add("The sets of ipset could not be read: the program ipset is missing (Debian package 'ipset'). "
                + "Rules that use a set cannot be loaded without it.");
            return [];
        }

        try
        {
            return Parse(ChildProgram.Run(program, ["save"], TimeSpan.FromSeconds(30), cancellation), omissions);
        }
        catch (ConntrackException error)
        {
            omissions.Add($"The sets of ipset could not be read: {error.Message} The capability CAP_NET_ADMIN is required.");
            return [];
        }
    }

    // Asks the kernel for the names of the sets. True also where it does not answer, as to a user without the capability CAP_NET_ADMIN.
    private static bool MayHaveSets(CancellationToken cancellation)
    {
        try
        {
            using NetlinkDump dump = NetlinkDump.OpenIpSets();
            using DatagramBatch batch = NetlinkDump.NewBatch();
            bool hasSets = false;
            dump.RequestIpSetNames();
            NetlinkDumpEnd end = dump.ReadToEnd(batch, (in NetlinkMessage _) => hasSets = true, cancellation);
            return hasSets || end.Error != 0;
        }
        catch (ConntrackException)
        {
            return true;
        }
    }

    /// <summary>The sets of the output of <c>ipset save</c>, in its order: a set of sets follows those that it refers to.</summary>
    public static IReadOnlyList<FirewallIpSet> Parse(string text, HostOmissions omissions)
    {
        List<FirewallIpSet> sets = [];
        int characters = 0;
        long beyond = 0;
        string? name = null;
        int start = 0;
        for (int at = 0; at < text.Length;)
        {
            int end = text.IndexOf('\n', at) is >= 0 and int found ? found + 1 : text.Length;
            ReadOnlySpan<char> line = text.AsSpan(at, end - at);
            if (line.StartsWith("create ", StringComparison.Ordinal))
            {
                Keep(at);
                ReadOnlySpan<char> rest = line["create ".Length..].TrimEnd();
                name = rest[..(rest.IndexOf(' ') is >= 0 and int space ? space : rest.Length)].ToString();
                start = at;
            }

            at = end;
        }

        Keep(text.Length);
        if (beyond > 0)
        {
            omissions.AddBeyond("Sets of ipset", MaximumSets, beyond);
        }

        return sets;

        void Keep(int end)
        {
            if (name is null)
            {
                return;
            }

            if (sets.Count == MaximumSets || end - start > MaximumCharacters - characters)
            {
                beyond++;
                return;
            }

            characters += end - start;
            sets.Add(new FirewallIpSet { Name = name, Text = text[start..end] });
        }
    }
}
