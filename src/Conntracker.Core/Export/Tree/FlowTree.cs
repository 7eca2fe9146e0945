using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Export.Files;
using Conntracker.Core.Export.Tree;
using Conntracker.Core.Flows;
using Microsoft.Win32.SafeHandles;

namespace Conntracker;

/// <summary>
/// Writes flows as a tree of empty files: <c>{in,out,else}/{tcp,udp,…}/SOURCE-PORT-DESTINATION-PORT</c>. A file's modification time is when its flows
/// were last seen; it is set at most once a minute, and never to an earlier time. Entries of earlier runs stay, and count. Past the limit entries are
/// aggregated into subnets. Not thread-safe.
/// </summary>
public sealed class FlowTree : IFlowWriter
{
    private static readonly TimeSpan s_betweenTimes = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan s_openPatience = TimeSpan.FromDays(1);

    private readonly FlowTreeOptions _options;
    private readonly TimeProvider _time;
    private readonly TreeDirectories _directories;
    private readonly TreeFiles _files;
    private readonly Dictionary<TreeEntry, TreeFileState> _known = [];
    private readonly TreeRoom _room;
    private bool _isListingCut;

    private FlowTree(string path, FlowTreeOptions options, TimeProvider time)
    {
        _options = options;
        _time = time;
        _directories = new TreeDirectories(path);
        _files = new TreeFiles(_directories);
        try
        {
            if (options.NoClobber && !_directories.IsEmpty())
            {
                throw LogFileErrors.DirectoryInUse(path);
            }

            int present = ReadExistingEntries();
            int maximum = TreeLimit.Of(options.MaximumEntries, present, _directories.FreeInodes()) ?? throw LogFileErrors.FewInodes(path);
            _room = new TreeRoom(options.MaximumEntries, maximum, present);
            _directories.CreateUsual(options.SkipElse);
        }
        catch
        {
            _directories.Dispose();
            throw;
        }
    }

    /// <summary>The tree's full path.</summary>
    public string Path => _directories.Path;

    /// <summary>How many entries the tree has, as far as they were counted: those of earlier runs up to the limit.</summary>
    public int Count => _room.Count;

    /// <summary>How many entries were created by this object.</summary>
    public int Created { get; private set; }

    /// <summary>Whether the limit was reached: entries were aggregated or left out.</summary>
    public bool IsLimited => _room.IsLimited;

    /// <summary>Whether entries of unanswered flows were aggregated because they have used up their share of the limit.</summary>
    public bool IsShareLimited => _room.IsShareLimited;

    /// <summary>
    /// Opens a tree. Its directory is created when it is missing; the parent must exist. The directories <c>in</c>, <c>out</c> and <c>else</c>, each
    /// with <c>tcp</c> and <c>udp</c>, are created at once.
    /// </summary>
    /// <param name="path">The directory; a relative path starts at the process's current directory.</param>
    /// <param name="options">How flows become entries.</param>
    /// <exception cref="LogFileException"> A directory is a symbolic link, belongs to another user, is not a directory, cannot be created or read, or is not
    /// empty as required; or the file system has hardly any free inodes.
    /// </exception>
    public static FlowTree Open(string path, FlowTreeOptions options) => Open(path, options, TimeProvider.System);

    /// <summary>
    /// Creates the entry of a flow, unless it exists, and updates its time to the flow's <see cref="Flow.LastSeen"/>; when that is null, a new entry
    /// gets the current time.
    /// </summary>
    /// <exception cref="LogFileException">It cannot be created, or its time cannot be set. The tree remains usable.</exception>
    public void Write(Flow flow)
    {
        ArgumentNullException.ThrowIfNull(flow);

        // A log or a tree does not always record whether a flow was answered; neither does it record a time then.
        bool isAnswered = flow.Confirmed || flow.LastSeen is null;
        Add(TreeEntry.Of(flow, _options.FoldInternet), flow.LastSeen?.UtcTicks ?? 0, isAnswered);
    }

    /// <summary>Sets the times that are pending because less than a minute had passed. The tree remains usable.</summary>
    /// <exception cref="LogFileException">One of them cannot be set; the others are.</exception>
    public void Complete()
    {
        LogFileException? failure = null;
        foreach (TreeEntry entry in _known.Keys)
        {
            ref TreeFileState file = ref CollectionsMarshal.GetValueRefOrNullRef(_known, entry);
            try
            {
                if (file.IsBehind)
                {
                    SetTime(in entry, ref file);
                }
            }
            catch (LogFileException error)
            {
                failure ??= error;
            }
        }

        if (failure is not null)
        {
            throw failure;
        }
    }

    /// <inheritdoc cref="Open(string, FlowTreeOptions)"/>
    /// <param name="path">The directory.</param>
    /// <param name="options">How flows become entries.</param>
    /// <param name="time">The clock that measures the minute.</param>
    internal static FlowTree Open(string path, FlowTreeOptions options, TimeProvider time)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.MaximumEntries, 1, nameof(options));
        return new FlowTree(System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path)), options, time);
    }

    /// <summary>The effect of the limit on the tree, for a warning; null when nothing was aggregated.</summary>
    /// <param name="option">The option that sets the limit, as the user writes it.</param>
    public string? DescribeLimit(string option) => _room.Describe(Path, option);

    /// <inheritdoc/>
    public void Dispose() => _directories.Dispose();

    /// <summary>Creates the entry of a flow in the table, unless it exists, and updates its time.</summary>
    /// <param name="snapshot">The flows.</param>
    /// <param name="slot">The flow's slot.</param>
    /// <param name="now">When the snapshot was taken, for a running capture; null for one that has ended.</param>
    /// <exception cref="LogFileException">It cannot be created, or its time cannot be set. The tree remains usable.</exception>
    public void Write(FlowSnapshot snapshot, int slot, DateTimeOffset? now = null)
    {
        ArgumentNullException.ThrowIfNull(snapshot);
        ref readonly FlowRecord record = ref snapshot[slot];
        if (record.IsUsed)
        {
            Add(TreeEntry.Of(in record, snapshot.Direction(slot), _options.FoldInternet), LastSeen(in record, now), record.IsReplied);
        }
    }

    // The kernel sends no events while a connection continues: as long as its table holds the flow, the rule is in use.
    private static long LastSeen(ref readonly FlowRecord record, DateTimeOffset? now)
    {
        bool isHeld = !record.IsClosed && !record.IsUnconfirmed && record.Folding == FlowFolding.None;
        return isHeld && now is DateTimeOffset time && time.UtcTicks - record.LastSeen >= s_openPatience.Ticks ? time.UtcTicks : record.LastSeen;
    }

    // The number of entries.
    private int ReadExistingEntries()
    {
        int count = 0;
        foreach ((TreeSection section, FlowProtocol protocol, SafeFileHandle directory) in _directories.OpenAll())
        {
            using (directory)
            {
                DirectoryReader.List(directory, _directories.PathOf(section, protocol), name =>
                {
                    if (count >= _options.MaximumEntries)
                    {
                        _isListingCut = true;
                        return false;
                    }

                    count++;
                    if (TreeName.TryParse(section, protocol, name, out TreeEntry entry))
                    {
                        _known.TryAdd(entry, new TreeFileState { Time = TreeFileState.Unread });
                    }

                    return true;
                });
            }
        }

        return count;
    }

    private void Add(TreeEntry entry, long lastSeen, bool isAnswered)
    {
        if ((_options.SkipElse && entry.Section == TreeSection.Else) || Note(in entry, lastSeen, isAnswered))
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

            bool isThere = Note(in told, lastSeen, isAnswered) || (_isListingCut && NoteUnlisted(in told, lastSeen));
            if (isThere || _room.Has(level, isAnswered))
            {
                if (!isThere)
                {
                    Create(in told, lastSeen, isAnswered);
                }

                if (level > 0)
                {
                    _room.CountFolded(in entry, isAnswered);
                }

                return;
            }
        }

        _room.CountLeft(in entry, isAnswered);
    }

    private void Create(in TreeEntry entry, long lastSeen, bool isAnswered)
    {
        bool isMade = _files.Create(in entry, lastSeen);
        Created += isMade ? 1 : 0;
        _room.Take(isAnswered);
        bool isTimeKnown = isMade && lastSeen != 0;
        _known[entry] = new TreeFileState
        {
            Time = isTimeKnown ? lastSeen : TreeFileState.Unread,
            LastSeen = isTimeKnown ? lastSeen : 0,
            Stamp = isMade ? _time.GetTimestamp() : null,
            IsUnanswered = !isAnswered,
        };
        if (!isMade)
        {
            Note(in entry, lastSeen, isAnswered);
        }
    }

    // False for an entry that is not known.
    private bool Note(in TreeEntry entry, long lastSeen, bool isAnswered)
    {
        ref TreeFileState file = ref CollectionsMarshal.GetValueRefOrNullRef(_known, entry);
        if (Unsafe.IsNullRef(ref file))
        {
            return false;
        }

        if (isAnswered && file.IsUnanswered)
        {
            file.IsUnanswered = false;
            _room.Answer();
        }

        if (lastSeen > file.LastSeen)
        {
            file.LastSeen = lastSeen;
            if (file.Stamp is not long stamp || _time.GetElapsedTime(stamp) >= s_betweenTimes)
            {
                SetTime(in entry, ref file);
            }
        }

        return true;
    }

    private void SetTime(in TreeEntry entry, ref TreeFileState file)
    {
        file.Stamp = _time.GetTimestamp();
        file.Time = file.Time == TreeFileState.Unread && _files.Time(in entry) is long time ? time : file.Time;
        if (file.IsBehind)
        {
            // Another program may have deleted the entry of an unused rule: it is created again, as it is in use after all.
            _ = _files.SetTime(in entry, file.LastSeen) || _files.Create(in entry, file.LastSeen);
            file.Time = file.LastSeen;
        }
    }

    // An entry beyond those listed is not remembered: the time of its file shows when it was set.
    private bool NoteUnlisted(in TreeEntry entry, long lastSeen)
    {
        long? time = _files.Time(in entry);
        return time is not null && (lastSeen - time < s_betweenTimes.Ticks || _files.SetTime(in entry, lastSeen));
    }
}
