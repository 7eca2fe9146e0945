namespace Conntracker.Core.Processes;

/// <summary>Where the hierarchies of cgroups are mounted: version 2, and those of version 1 by their controllers. Does not change; for any thread.</summary>
internal sealed class CgroupMounts
{
    /// <summary>The name under which version 2 is found: that of its controllers in /proc/PID/cgroup, which is empty.</summary>
    public const string Version2 = "";

    private readonly Dictionary<string, string> _directories = [];

    /// <summary>Takes hierarchies from the content of mountinfo files; the first one that has a hierarchy decides.</summary>
    /// <param name="files">Each with the directory below which its paths are found; empty for the root directory.</param>
    public CgroupMounts(params IEnumerable<(string Content, string Root)> files)
    {
        foreach ((string content, string root) in files)
        {
            foreach (string line in content.Split('\n'))
            {
                Add(line, root);
            }
        }
    }

    /// <summary>
    /// Reads those of this process, then those of the process 1: <c>ip netns exec</c> mounts /sys again, and hides them. Empty when neither can be read.
    /// </summary>
    public static CgroupMounts Read() => new((ContentOf("/proc/self/mountinfo"), ""), (ContentOf("/proc/1/mountinfo"), "/proc/1/root"));

    /// <summary>The directory of a hierarchy's root; null when it is not mounted as a whole.</summary>
    /// <param name="controllers">As /proc/PID/cgroup names them: <c>cpu,cpuacct</c>, <c>name=systemd</c>; empty for version 2.</param>
    public string? Find(string controllers)
    {
        // Each controller belongs to one hierarchy.
        int end = controllers.IndexOf(',', StringComparison.Ordinal);
        return _directories.GetValueOrDefault(end < 0 ? controllers : controllers[..end]);
    }

    // id parent device root directory options optional... - type source options
    private void Add(string line, string root)
    {
        string[] fields = line.Split(' ');
        int end = Array.IndexOf(fields, "-");

        // Paths below another root than the hierarchy's are other cgroups'.
        if (end < 6 || fields.Length < end + 4 || fields[3] != "/")
        {
            return;
        }

        string directory = root + fields[4];
        if (fields[end + 1] == "cgroup2")
        {
            _directories.TryAdd(Version2, directory);
        }
        else if (fields[end + 1] == "cgroup")
        {
            foreach (string option in fields[end + 3].Split(','))
            {
                _directories.TryAdd(option, directory);
            }
        }
    }

    private static string ContentOf(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
