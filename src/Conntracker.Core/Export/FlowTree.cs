using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Views;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Export;

/// <summary>
/// Writes flows as a tree of empty files: <c>{in,out,else}/{tcp,udp,…}/SOURCE-PORT-DESTINATION-PORT</c>. An entry is made once and never
/// touched again; what an earlier run has made stays, and counts. Past the limit entries are folded into subnets. Not safe for several threads.
/// </summary>
public sealed class FlowTree : IFlowWriter
{
    private const int LeastCounted = 65_536;

    private readonly FlowTreeOptions _options;
    private readonly TreeFolders _folders;
    private readonly HashSet<TreeEntry> _known = [];
    private readonly CappedCount _folded;
    private readonly CappedCount _left;
    private readonly int _maximum;
    private int _count;
    private bool _isListingCut;

    private FlowTree(string path, FlowTreeOptions options)
    {
        _options = options;
        _folded = new CappedCount(Math.Max(LeastCounted, options.MaximumEntries));
        _left = new CappedCount(Math.Max(LeastCounted, options.MaximumEntries));
        _folders = new TreeFolders(path);
        try
        {
            if (options.NoClobber && !_folders.IsEmpty())
            {
                throw LogFileErrors.FolderInUse(path);
            }

            TakeWhatIsThere();
            _maximum = TreeLimit.Of(options.MaximumEntries, _count, _folders.FreeInodes()) ?? throw LogFileErrors.FewInodes(path);
        }
        catch
        {
            _folders.Dispose();
            throw;
        }
    }

    /// <summary>The tree's full path.</summary>
    public string Path => _folders.Path;

    /// <summary>How many entries the tree has, as far as they were counted: those of earlier runs up to the limit.</summary>
    public int Count => _count;

    /// <summary>How many entries were made here.</summary>
    public int Created { get; private set; }

    /// <summary>Whether the limit was reached: entries were folded or left out.</summary>
    public bool IsLimited => _folded.Count + _left.Count > 0;

    /// <summary>Opens a tree; its folder is made when it is missing, and its parent is not.</summary>
    /// <param name="path">The folder; a relative path starts at the process's current directory.</param>
    /// <param name="options">How flows become entries.</param>
    /// <exception cref="LogFileException">
    /// A folder is a symbolic link, another user's or no folder, cannot be made or read, or is not as empty as it was asked for; or the file system
    /// has hardly an inode left.
    /// </exception>
    public static FlowTree Open(string path, FlowTreeOptions options)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumEntries, 1, nameof(options));
        return new FlowTree(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)), options);
    }

    /// <summary>Makes the entry of a flow, unless it is there.</summary>
    /// <exception cref="LogFileException">It cannot be made. The tree can be gone on with.</exception>
    public void Write(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);
        Add(TreeEntry.Of(flow, _options.FoldInternet));
    }

    /// <summary>Nothing: every entry is in its place already.</summary>
    public void Complete()
    {
    }

    /// <summary>What the limit has done to the tree, for a warning; null when nothing was folded.</summary>
    /// <param name="option">The option that sets the limit, as the user writes it.</param>
    public string? DescribeLimit(string option) => !IsLimited ? null
        : $"The tree '{Path}' holds {_count} entries, of {_maximum} that it may hold ({(_maximum < _options.MaximumEntries ? "a tenth of the free inodes" : option)}): {_folded} were folded into subnets"
            + (_left.Count == 0 ? "." : $", and {_left} found no room and are not in it.");

    /// <inheritdoc/>
    public void Dispose() => _folders.Dispose();

    /// <summary>Makes the entry of a flow as the table holds it, unless it is there.</summary>
    /// <exception cref="LogFileException">It cannot be made. The tree can be gone on with.</exception>
    internal void Write(FlowSnapshot snapshot, int place)
    {
        ref readonly FlowRecord record = ref snapshot[place];
        if (record.IsUsed)
        {
            Add(TreeEntry.Of(in record, snapshot.Direction(place), _options.FoldInternet));
        }
    }

    private void TakeWhatIsThere()
    {
        foreach ((TreeSection section, FlowProtocol protocol, SafeFileHandle folder) in _folders.OpenAll())
        {
            using (folder)
            {
                FolderNames.List(folder, _folders.PathOf(section, protocol), name =>
                {
                    if (_count >= _options.MaximumEntries)
                    {
                        _isListingCut = true;
                        return false;
                    }

                    _count++;
                    if (TreeName.TryParse(section, protocol, name, out TreeEntry entry))
                    {
                        _known.Add(entry);
                    }

                    return true;
                });
            }
        }
    }

    private void Add(TreeEntry entry)
    {
        if ((_options.SkipElse && entry.Section == TreeSection.Else) || _known.Contains(entry))
        {
            return;
        }

        for (int level = 0; level <= TreeEntry.LastLevel; level++)
        {
            TreeEntry told = entry.Fold(level);
            if (level > 0 && told == entry)
            {
                continue;
            }

            bool isThere = _known.Contains(told) || (_isListingCut && Exists(in told));
            if (isThere || _count < TreeLimit.Of(_maximum, level))
            {
                if (!isThere)
                {
                    Create(in told);
                }

                if (level > 0)
                {
                    _folded.Add(in entry);
                }

                return;
            }
        }

        _left.Add(in entry);
    }

    private void Create(in TreeEntry entry)
    {
        bool isMade = TryCreate(in entry, out int errno);
        if (!isMade && errno == ENOENT)
        {
            // Somebody has removed the folder that is held. It is made anew, once.
            _folders.Forget(entry.Section);
            isMade = TryCreate(in entry, out errno);
        }

        if (!isMade && errno != EEXIST)
        {
            string folder = _folders.PathOf(entry.Section, entry.Protocol);
            throw LogFileErrors.FromTree(System.IO.Path.Combine(folder, NameOf(in entry)), "creating the entry", errno);
        }

        Created += isMade ? 1 : 0;
        _count++;
        _known.Add(entry);
    }

    private unsafe bool TryCreate(in TreeEntry entry, out int errno)
    {
        SafeFileHandle folder = _folders.Get(entry.Section, entry.Protocol);
        byte* name = stackalloc byte[TreeName.MaxLength + 1];
        name[TreeName.Write(new Span<byte>(name, TreeName.MaxLength), in entry)] = 0;
        int fd;
        do
        {
            fd = SafeLibC.openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, S_IRUSR | S_IWUSR);
            errno = fd < 0 ? Errno.Last : 0;
        }
        while (errno == EINTR);

        if (fd >= 0)
        {
            _ = LibC.close(fd);
        }

        return fd >= 0;
    }

    private unsafe bool Exists(in TreeEntry entry)
    {
        statx status;
        byte* name = stackalloc byte[TreeName.MaxLength + 1];
        name[TreeName.Write(new Span<byte>(name, TreeName.MaxLength), in entry)] = 0;
        return SafeLibC.statx(_folders.Get(entry.Section, entry.Protocol), name, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &status) == 0;
    }

    private static string NameOf(in TreeEntry entry)
    {
        Span<byte> name = stackalloc byte[TreeName.MaxLength];
        return System.Text.Encoding.UTF8.GetString(name[..TreeName.Write(name, in entry)]);
    }
}
