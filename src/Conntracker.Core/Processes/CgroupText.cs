using System.Buffers;
using System.Text;

namespace Conntracker.Core.Processes;

/// <summary>
/// What the cgroups of a process show: its path in the cgroup2 hierarchy, its systemd unit, its container. A user who may write to the
/// directory of a cgroup chooses the names in it, so unit and container are read only up to the first name in a directory that is not root's alone.
/// </summary>
/// <param name="Path">The whole path in the cgroup2 hierarchy, also with names that a user chose; null when not known.</param>
/// <param name="Unit">The systemd unit: the outermost name behind the slices; null when there is none, or root did not name it.</param>
/// <param name="Container">The innermost container's id, of LXC its name; null when there is none, or root did not name it.</param>
internal readonly record struct CgroupText(string? Path, string? Unit, string? Container)
{
    private const string Systemd = "name=systemd";
    private const string Slice = ".slice";
    private const int ContainerIdLength = 64;

    private static readonly SearchValues<char> s_hexDigits = SearchValues.Create("0123456789abcdef");
    private static readonly string[] s_unitSuffixes = [".service", ".scope", ".socket", ".mount", ".swap"];
    private static readonly string[] s_lxcPrefixes = ["lxc.payload.", "lxc.monitor."];

    /// <summary>Reads the content of /proc/PID/cgroup. Hosts with version 1 hold unit and container there, and only the root in version 2.</summary>
    /// <param name="file">The content.</param>
    /// <param name="mounts">Where the hierarchies are.</param>
    /// <param name="isRoots">Whether only root gives names in a directory.</param>
    public static CgroupText Parse(ReadOnlySpan<byte> file, CgroupMounts mounts, Func<string, bool> isRoots)
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
                found = Of(fields[2], mounts.Find(CgroupMounts.Version2), isRoots);
            }
            else if (legacy.Container is null)
            {
                CgroupText other = Of(fields[2], mounts.Find(fields[1]), isRoots);
                legacy = new CgroupText(null, fields[1] == Systemd ? other.Unit : legacy.Unit, other.Container);
            }
        }

        return found with { Unit = found.Unit ?? legacy.Unit, Container = found.Container ?? legacy.Container };
    }

    /// <summary>Reads one path.</summary>
    /// <param name="path">The path below the hierarchy's root.</param>
    /// <param name="mount">The directory of that root; null when it is not known, and no name is believed.</param>
    /// <param name="isRoots">Whether only root gives names in a directory.</param>
    public static CgroupText Of(string path, string? mount, Func<string, bool> isRoots)
    {
        // A path that leads out of the hierarchy's root is that of a cgroup which cannot be looked at.
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        if (mount is null || parts.Contains(".."))
        {
            return new CgroupText(path, null, null);
        }

        string directory = mount;
        string? unit = null;
        string? container = null;
        bool isBehindSlices = false;
        for (int i = 0; i < parts.Length && isRoots(directory); i++)
        {
            if (!isBehindSlices && !parts[i].EndsWith(Slice, StringComparison.Ordinal))
            {
                isBehindSlices = true;
                unit = IsUnit(parts[i]) ? parts[i] : null;
            }

            container = ContainerOf(parts[i], i > 0 ? parts[i - 1] : "") ?? container;
            directory = $"{directory}/{parts[i]}";
        }

        return new CgroupText(path, unit, container);
    }

    private static bool IsUnit(string part) => Array.Exists(s_unitSuffixes, suffix => part.EndsWith(suffix, StringComparison.Ordinal));

    // docker-ID.scope, cri-containerd-ID.scope, libpod-ID.scope, crio-ID.scope, or the bare id below a directory of docker or kubepods;
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
