using Conntracker.Core.Feeds;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Processes;

/// <summary>
/// Creates frames of sockets: each process is reported once under a number, each socket by its tuple and that number. Used by the thread that watches
/// processes.
/// </summary>
internal sealed class ProcessReporter : IDisposable
{
    private const int MaximumForeign = 16_384;

    private readonly ProcessEvents _processes;
    private readonly MessageQueue _frames;
    private readonly ConnectedNamespaces _namespaces = new();
    private readonly Dictionary<uint, KnownProcess> _foreign = [];
    private readonly CgroupHierarchy _cgroups = new();
    private readonly UserNames _users = new();
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(ProcessReport.MaximumMessageLength);
    private int _lastNumber;

    /// <param name="processes">The processes.</param>
    /// <param name="frames">Gets the frames.</param>
    /// <param name="namespaceCookie">The cookie of the capture's network namespace; 0 when the kernel does not report it.</param>
    public ProcessReporter(ProcessEvents processes, MessageQueue frames, ulong namespaceCookie)
    {
        _processes = processes;
        _frames = frames;
        NamespaceCookie = namespaceCookie;
    }

    /// <summary>The cookie of the capture's network namespace; 0 while it is not known.</summary>
    public ulong NamespaceCookie { get; set; }

    /// <summary>Decides which other network namespaces are trusted.</summary>
    public ConnectedNamespaces Namespaces => _namespaces;

    /// <summary>Reports a record of the eBPF programs.</summary>
    /// <param name="record">The record; its owner is known.</param>
    /// <param name="key">Its tuple.</param>
    public void Report(ref readonly socket_record record, in FlowKey key)
    {
        SocketScope scope = ScopeOf(record.owner.netns);
        NamespaceConnection connection = scope == SocketScope.Elsewhere
            ? _namespaces.Find(record.owner.netns, (int)record.owner.pid)
            : NamespaceConnection.Linked;
        if (connection == NamespaceConnection.Linked)
        {
            Report(in key, record.outgoing != 0, in record.owner, record.owner.uid, ProcessSource.Bpf, scope);
        }
        else if (connection == NamespaceConnection.Unknown)
        {
            // The join decides whether a flow lacks its process for this reason.
            AddSocket(in key, number: 0, record.outgoing != 0, SocketScope.Unproven);
        }
    }

    /// <summary>Reports what was looked up in the capture's network namespace.</summary>
    public void Report(in FoundSocket found)
    {
        socket_owner owner = new() { pid = (uint)found.Process, uid = found.User, time = ulong.MaxValue };
        Report(found.Key, found.IsOutgoing, in owner, found.RealUser, ProcessSource.Diag, SocketScope.Here);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cgroups.Dispose();
        _namespaces.Dispose();
    }

    private SocketScope ScopeOf(ulong cookie) =>
        cookie == 0 || NamespaceCookie == 0 ? SocketScope.Unknown
        : cookie == NamespaceCookie ? SocketScope.Here
        : SocketScope.Elsewhere;

    private void Report(in FlowKey key, bool isOutgoing, in socket_owner owner, uint? realUser, ProcessSource source, SocketScope scope)
    {
        bool isForeign = source == ProcessSource.Bpf && !PidNamespace.IsHosts;
        KnownProcess process = isForeign ? FindForeign(in owner) : _processes.Find((int)owner.pid, owner.time);
        UInt128 name = isForeign || owner.tid == owner.pid ? SocketRecordDecoder.RawNameOf(in owner) : 0;
        ReportKey reportKey = new(name, owner.uid, realUser, owner.cgroup, source, scope, owner.netns);
        int number = process.NumberOf(in reportKey, _lastNumber - (ProcessList.KeptYoungest / 2));
        if (number == 0)
        {
            number = ++_lastNumber;
            ProcessReport report = new(number, scope, Describe(process, in owner, realUser, source)) { Namespace = owner.netns };
            if (!_frames.TryAdd(MessageKind.Process, _buffer.AsSpan(0, report.Write(_buffer))))
            {
                // The queue has counted the loss; the next socket of the process reports it again.
                return;
            }

            process.Remember(in reportKey, number);
        }

        AddSocket(in key, number, isOutgoing, scope);
    }

    // A reused id does not show its earlier process: the key contains everything that is reported of a foreign one.
    private KnownProcess FindForeign(in socket_owner owner)
    {
        if (_foreign.Count >= MaximumForeign)
        {
            _foreign.Clear();
        }

        if (!_foreign.TryGetValue(owner.pid, out KnownProcess? known))
        {
            _foreign.Add(owner.pid, known = ProcessEvents.Foreign());
        }

        return known;
    }

    private void AddSocket(in FlowKey key, int number, bool isOutgoing, SocketScope scope)
    {
        Span<byte> frame = stackalloc byte[SocketOwner.FrameLength];
        new SocketOwner { Key = key, Process = number, IsOutgoing = isOutgoing, Scope = scope }.Write(frame);
        _frames.TryAdd(MessageKind.SocketOwner, frame);
    }

    private FlowProcess Describe(KnownProcess process, in socket_owner owner, uint? realUser, ProcessSource source)
    {
        ProcessFacts facts = process.Facts;
        CgroupText cgroup = _cgroups.Find(owner.cgroup) ?? facts.Cgroup;

        // Version 1 may know what version 2 does not. What it said of a process that has changed its cgroup since is not this cgroup's.
        CgroupText legacy = facts.Cgroup.Path == cgroup.Path ? facts.Cgroup : default;
        uint user = facts.LoginUser ?? owner.uid;

        // A thread may have a name of its own: the process's is that of the first one.
        string? threadName = SocketRecordDecoder.NameOf(in owner);
        string? name = owner.tid == owner.pid ? threadName ?? process.Name : process.Name ?? threadName;
        return new FlowProcess
        {
            Id = process.Id,
            Name = name ?? "",
            CommandLine = facts.CommandLine,
            Path = facts.Path,
            UserId = user,
            UserName = _users.Find(user),
            RealUserId = realUser,
            RealUserName = realUser is uint real ? _users.Find(real) : null,
            Cgroup = cgroup.Path,
            Unit = cgroup.Unit ?? legacy.Unit,
            Container = cgroup.Container ?? legacy.Container,
            Source = source,
        };
    }
}
