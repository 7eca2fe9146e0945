using System.Text;
using Conntracker.Core.Export.Files;
using Conntracker.Core.Native;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Export.Tree;

/// <summary>
/// The directories of a tree. Each is opened once and held, so that a user who renames or replaces one does not change where entries go. None may be
/// a symbolic link, or belong to another user. Missing ones are created, for their owner only.
/// </summary>
internal sealed class TreeDirectories : IDisposable
{
    // A scan may show all 256 protocols, and a process may have only 1,024 descriptors.
    private const int MostOpen = 64;

    private readonly SafeFileHandle _root;
    private readonly Dictionary<TreeSection, SafeFileHandle> _sections = [];
    private readonly Dictionary<(TreeSection, FlowProtocol), SafeFileHandle> _protocols = [];

    /// <summary>Opens a tree's directory, created when it is missing.</summary>
    /// <param name="path">Its full path.</param>
    /// <exception cref="LogFileException">It is a link, belongs to another user, is not a directory, or cannot be created.</exception>
    public TreeDirectories(string path)
    {
        Path = path;
        string name = System.IO.Path.GetFileName(path);
        using SafeFileHandle parent = LogFile.OpenDirectory(path, System.IO.Path.GetDirectoryName(path) ?? "/");
        _root = Open(parent, name.Length == 0 ? "." : name, path, create: true)!;
    }

    /// <summary>The tree's full path.</summary>
    public string Path { get; }

    /// <summary>Whether the tree's directory is empty.</summary>
    /// <exception cref="LogFileException">It cannot be read.</exception>
    public bool IsEmpty()
    {
        bool isEmpty = true;
        DirectoryReader.List(_root, Path, _ =>
        {
            isEmpty = false;
            return false;
        });
        return isEmpty;
    }

    /// <summary>
    /// How many more inodes this user can take on the tree's file system; null where the file system creates them on demand, or does not report them.
    /// </summary>
    public unsafe long? FreeInodes()
    {
        statvfs status;
        return SafeLibC.fstatvfs(_root, &status) == 0 && status.f_files > 0 ? (long)Math.Min((ulong)status.f_favail, long.MaxValue) : null;
    }

    /// <summary>The directory of a section and protocol, created when it is missing.</summary>
    /// <exception cref="LogFileException">It is a link, belongs to another user, is not a directory, or cannot be created.</exception>
    public SafeFileHandle Get(TreeSection section, FlowProtocol protocol)
    {
        if (_protocols.TryGetValue((section, protocol), out SafeFileHandle? directory))
        {
            return directory;
        }

        if (_protocols.Count >= MostOpen)
        {
            CloseProtocols();
        }

        if (!_sections.TryGetValue(section, out SafeFileHandle? parent))
        {
            _sections[section] = parent = Open(_root, TreeName.Of(section), PathOf(section), create: true)!;
        }

        return _protocols[(section, protocol)] = Open(parent, TreeName.Of(protocol), PathOf(section, protocol), create: true)!;
    }

    /// <summary>
    /// Creates the directories of every tree where they are missing: <c>in</c>, <c>out</c> and <c>else</c>, with <c>tcp</c> and <c>udp</c>.
    /// </summary>
    /// <param name="skipElse">Leave out <c>else</c>.</param>
    /// <exception cref="LogFileException">One is a link, belongs to another user, is not a directory, or cannot be created.</exception>
    public void CreateUsual(bool skipElse)
    {
        foreach (TreeSection section in TreeName.Sections.Where(each => !skipElse || each != TreeSection.Else))
        {
            Get(section, FlowProtocol.Tcp);
            Get(section, FlowProtocol.Udp);
        }
    }

    /// <summary>Closes a section's directories, because they were removed from the tree.</summary>
    public void Forget(TreeSection section)
    {
        CloseProtocols();
        if (_sections.Remove(section, out SafeFileHandle? directory))
        {
            directory.Dispose();
        }
    }

    /// <summary>The existing directories of protocols, opened; the caller closes each.</summary>
    /// <exception cref="LogFileException">One is a link, belongs to another user, is not a directory, or cannot be read.</exception>
    public IEnumerable<(TreeSection Section, FlowProtocol Protocol, SafeFileHandle Folder)> OpenAll()
    {
        foreach (TreeSection section in TreeName.Sections)
        {
            using SafeFileHandle? directory = Open(_root, TreeName.Of(section), PathOf(section), create: false);
            List<FlowProtocol> protocols = [];
            if (directory is not null)
            {
                DirectoryReader.List(directory, PathOf(section), name =>
                {
                    protocols.AddRange(TreeName.ToProtocol(Encoding.UTF8.GetString(name)) is FlowProtocol protocol ? [protocol] : []);
                    return true;
                });
            }

            foreach (FlowProtocol protocol in protocols)
            {
                if (Open(directory!, TreeName.Of(protocol), PathOf(section, protocol), create: false) is SafeFileHandle opened)
                {
                    yield return (section, protocol, opened);
                }
            }
        }
    }

    /// <summary>The path of a section, or of a protocol in it.</summary>
    public string PathOf(TreeSection section, FlowProtocol? protocol = null) => protocol is FlowProtocol known
        ? System.IO.Path.Combine(Path, TreeName.Of(section), TreeName.Of(known))
        : System.IO.Path.Combine(Path, TreeName.Of(section));

    /// <inheritdoc/>
    public void Dispose()
    {
        CloseProtocols();
        foreach (SafeFileHandle section in _sections.Values)
        {
            section.Dispose();
        }

        _root.Dispose();
    }

    // Null when it is missing and not to be created.
    private static SafeFileHandle? Open(SafeFileHandle parent, string name, string path, bool create)
    {
        int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        int fd = SafeLibC.openat(parent, name, flags, default);
        if (fd < 0 && Errno.Last == ENOENT)
        {
            if (!create)
            {
                return null;
            }

            if (SafeLibC.mkdirat(parent, name, S_IRWXU) < 0 && Errno.Last != EEXIST)
            {
                throw LogFileErrors.FromTree(path, "creating the directory", Errno.Last);
            }

            fd = SafeLibC.openat(parent, name, flags, default);
        }

        if (fd < 0)
        {
            throw NotOpened(parent, name, path, Errno.Last);
        }

        SafeFileHandle directory = new(fd, ownsHandle: true);
        try
        {
            CheckOwner(directory, path);
            return directory;
        }
        catch
        {
            directory.Dispose();
            throw;
        }
    }

    private static unsafe LogFileException NotOpened(SafeFileHandle parent, string name, string path, int errno)
    {
        statx there;
        bool isThere = SafeLibC.statx(parent, name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &there) == 0;
        mode_t type = isThere ? there.stx_mode & S_IFMT : S_IFDIR;
        return type == S_IFLNK ? LogFileErrors.DirectoryLink(path)
            : type == S_IFDIR ? LogFileErrors.FromTree(path, "opening the directory", errno)
            : LogFileErrors.NotFolder(path);
    }

    private static unsafe void CheckOwner(SafeFileHandle directory, string path)
    {
        statx status;
        if (SafeLibC.statx(directory, "", AT_EMPTY_PATH, STATX_UID, &status) < 0)
        {
            throw LogFileErrors.FromTree(path, "reading the attributes of the directory", Errno.Last);
        }

        if (status.stx_uid != LibC.geteuid())
        {
            throw LogFileErrors.ForeignDirectory(path, status.stx_uid, LibC.geteuid());
        }
    }

    private void CloseProtocols()
    {
        foreach (SafeFileHandle directory in _protocols.Values)
        {
            directory.Dispose();
        }

        _protocols.Clear();
    }
}
