using System.Globalization;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>The cgroup2 hierarchy: where it is mounted, and which path a cgroup's id stands for.</summary>
internal sealed unsafe class CgroupHierarchy : IDisposable
{
    private const int MaximumPaths = 4096;
    private const int LongestPath = 4096;

    // What the kernel calls FILEID_KERNFS: a handle that is the file's id. No header for programs has it.
    private const int FileIdKernfs = 0xfe;

    private readonly Dictionary<ulong, string> _paths = [];
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

    /// <summary>The path of a cgroup below the hierarchy's root, <c>/</c> for the root itself; null when it is gone or not known.</summary>
    public string? PathOf(ulong id)
    {
        if (_root.IsInvalid || id == 0)
        {
            return null;
        }

        if (_paths.TryGetValue(id, out string? path))
        {
            return path;
        }

        path = Resolve(id);
        if (path is not null)
        {
            if (_paths.Count >= MaximumPaths)
            {
                _paths.Clear();
            }

            _paths.Add(id, path);
        }

        return path;
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
