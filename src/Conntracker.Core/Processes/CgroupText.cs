using System.Buffers;
using System.Text;

namespace Conntracker.Core.Processes;

/// <summary>What the cgroups of a process tell: its path in the cgroup2 hierarchy, its systemd unit, its container.</summary>
/// <param name="Path">The path in the cgroup2 hierarchy; null when not known.</param>
/// <param name="Unit">The innermost systemd unit; null when there is none.</param>
/// <param name="Container">The container's id, of LXC its name; null when there is none.</param>
internal readonly record struct CgroupText(string? Path, string? Unit, string? Container)
{
    private const string Systemd = "name=systemd";
    private const int ContainerIdLength = 64;

    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdef");
    private static readonly string[] s_unitSuffixes = [".service", ".scope", ".socket", ".mount", ".swap"];
    private static readonly string[] s_lxcPrefixes = ["lxc.payload.", "lxc.monitor."];

    /// <summary>Reads the content of /proc/PID/cgroup. Hosts with version 1 hold unit and container there, and only the root in version 2.</summary>
    public static CgroupText Parse(ReadOnlySpan<byte> file)
    {
        CgroupText found = default;
        CgroupText legacy = default;
        foreach (string line in Encoding.UTF8.GetString(file).Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            // hierarchy:controllers:path
            string[] fields = line.Split(':', 3);
            if (fields.Length < 3)
            {
                continue;
            }

            if (fields[0] == "0" && fields[1].Length == 0)
            {
                found = Of(fields[2]);
            }
            else if (legacy.Container is null)
            {
                CgroupText other = Of(fields[2]);
                legacy = new CgroupText(null, fields[1] == Systemd ? other.Unit : legacy.Unit, other.Container);
            }
        }

        return found with { Unit = found.Unit ?? legacy.Unit, Container = found.Container ?? legacy.Container };
    }

    /// <summary>Reads one path.</summary>
    public static CgroupText Of(string path)
    {
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        string? unit = Array.FindLast(parts, part => s_unitSuffixes.Any(suffix => part.EndsWith(suffix, StringComparison.Ordinal)));
        string? container = null;
        for (int i = parts.Length - 1; i >= 0 && container is null; i--)
        {
            container = ContainerOf(parts[i], i > 0 ? parts[i - 1] : "");
        }

        return new CgroupText(path, unit, container);
    }

    // docker-ID.scope, cri-containerd-ID.scope, libpod-ID.scope, crio-ID.scope, or the bare id below a folder of docker or kubepods;
    // the monitor of a container (libpod-conmon-ID.scope) runs outside of it.
    private static string? ContainerOf(string part, string parent)
    {
        if (Array.Find(s_lxcPrefixes, each => part.StartsWith(each, StringComparison.Ordinal)) is string prefix)
        {
            return prefix == s_lxcPrefixes[0] ? part[prefix.Length..] : null;
        }

        if (parent is "lxc" or "lxc.payload")
        {
            return part;
        }

        ReadOnlySpan<char> id = part.EndsWith(".scope", StringComparison.Ordinal) ? part.AsSpan(0, part.Length - ".scope".Length) : part;
        id = id[(id.LastIndexOfAny('-', ':') + 1)..];
        bool isId = id.Length == ContainerIdLength && !id.ContainsAnyExcept(s_hexDigits);
        return isId && !part.Contains("conmon", StringComparison.Ordinal) ? id.ToString() : null;
    }
}
