using System.Globalization;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>The cgroup2 hierarchy: where it is mounted, and which path, unit and container a cgroup's id stands for. For one thread.</summary>
internal sealed unsafe class CgroupHierarchy : IDisposable
{
    private const int MaximumCgroups = 4096;
    private const int LongestPath = 4096;

    // What the kernel calls FILEID_KERNFS: a handle that is the file's id. No header for programs has it.
    private const int FileIdKernfs = 0xfe;

    private readonly Dictionary<ulong, CgroupText> _cgroups = [];
    private readonly SafeFileDescriptor _root;
    private readonly string _mount;

    /// <summary>Opens the hierarchy; without one, no id has a path.</summary>
    public CgroupHierarchy()
    {
        _mount = FindRoot() ?? "";
        _root = new SafeFileDescriptor(_mount.Length == 0 ? -1 : SafeLibC.open(_mount, O_RDONLY | O_CLOEXEC | O_DIRECTORY));
    }

    /// <summary>Where the hierarchy is mounted (hosts have it in two places); null when it is not.</summary>
    public static string? FindRoot()
    {
        foreach (string line in File.ReadLines("/proc/mounts"))
        {
            string[] fields = line.Split(' ');
            if (fields.Length > 2 && fields[2] == "cgroup2")
            {
                return fields[1];
            }
        }

        return null;
    }

    /// <summary>
    /// A cgroup's path below the hierarchy's root, <c>/</c> for the root itself, with the unit and the container in it; null when the cgroup is gone
    /// or not known. It is
    /// looked up once: no id is used again, and a cgroup of version 2 cannot be renamed.
    /// </summary>
    public CgroupText? Find(ulong id)
    {
        if (_root.IsInvalid || id == 0)
        {
            return null;
        }

        if (_cgroups.TryGetValue(id, out CgroupText known))
        {
            return known;
        }

        if (Resolve(id) is not string path)
        {
            return null;
        }

        if (_cgroups.Count >= MaximumCgroups)
        {
            _cgroups.Clear();
        }

        CgroupText found = CgroupText.Of(path, _mount, CgroupOwner.IsRoot);
        _cgroups.Add(id, found);
        return found;
    }

    /// <inheritdoc/>
    public void Dispose() => _root.Dispose();

    private string? Resolve(ulong id)
    {
        int* handle = stackalloc int[] { sizeof(ulong), FileIdKernfs, (int)id, (int)(id >> 32) };
        using SafeFileDescriptor cgroup = new(SafeLibC.open_by_handle_at(_root, handle, O_PATH | O_CLOEXEC));
        if (cgroup.IsInvalid)
        {
            return null;
        }

        byte* buffer = stackalloc byte[LongestPath];
        string link = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{cgroup.Number}");
        int length = (int)SafeLibC.readlinkat(_root, link, buffer, LongestPath);
        string path = length <= 0 ? "" : System.Text.Encoding.UTF8.GetString(buffer, length);
        return path == _mount ? "/"
            : path.StartsWith(_mount + "/", StringComparison.Ordinal) ? path[_mount.Length..]
            : null;
    }
}
