using Conntracker.Core.Decoding;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Processes;
using Conntracker.Core.Sources;

namespace Conntracker.Core.Capture;

/// <summary>
/// Makes frames of sockets: each process is reported once under a number, each socket by its tuple and that number. Used by the thread
/// that watches processes.
/// </summary>
internal sealed class ProcessReporter : IDisposable
{
    private readonly ProcessEvents _processes;
    private readonly FrameQueue _frames;
    private readonly ulong _namespaceCookie;
    private readonly CgroupHierarchy _cgroups = new();
    private readonly UserNames _users = new();
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(ProcessReport.MaximumFrameLength);
    private int _lastNumber;

    /// <summary>Makes a reporter.</summary>
    /// <param name="processes">The processes.</param>
    /// <param name="frames">Gets the frames.</param>
    /// <param name="namespaceCookie">The cookie of the capture's network namespace; 0 when the kernel does not tell.</param>
    public ProcessReporter(ProcessEvents processes, FrameQueue frames, ulong namespaceCookie)
    {
        _processes = processes;
        _frames = frames;
        _namespaceCookie = namespaceCookie;
    }

    /// <summary>Reports what the eBPF programs told.</summary>
    /// <param name="record">The record; its owner is known.</param>
    /// <param name="key">Its tuple.</param>
    public void Report(ref readonly socket_record record, in FlowKey key) =>
        Report(in key, record.outgoing != 0, in record.owner, ProcessSource.Bpf, ScopeOf(record.owner.netns));

    /// <summary>Reports what was looked up in the capture's network namespace.</summary>
    public void Report(in FlowKey key, bool isOutgoing, int process, uint user)
    {
        socket_owner owner = new() { pid = (uint)process, uid = user, time = ulong.MaxValue };
        Report(in key, isOutgoing, in owner, ProcessSource.Diag, SocketScope.Here);
    }

    /// <inheritdoc/>
    public void Dispose() => _cgroups.Dispose();

    private SocketScope ScopeOf(ulong cookie) =>
        cookie == 0 || _namespaceCookie == 0 ? SocketScope.Unknown
        : cookie == _namespaceCookie ? SocketScope.Here
        : SocketScope.Elsewhere;

    private void Report(in FlowKey key, bool isOutgoing, in socket_owner owner, ProcessSource source, SocketScope scope)
    {
        KnownProcess process = _processes.Find((int)owner.pid, owner.time);
        ReportKey reportKey = new(owner.tid == owner.pid ? SocketRecordDecoder.RawNameOf(in owner) : 0, owner.uid, owner.cgroup, source, scope);
        int number = process.NumberOf(in reportKey, _lastNumber - (ProcessList.KeptYoungest / 2));
        if (number == 0)
        {
            number = ++_lastNumber;
            process.Remember(in reportKey, number);
            ProcessReport report = new(number, scope, Describe(process, in owner, source));
            _frames.TryAdd(FrameKind.Process, _buffer.AsSpan(0, report.Write(_buffer)));
        }

        Span<byte> frame = stackalloc byte[SocketOwner.FrameLength];
        new SocketOwner { Key = key, Process = number, IsOutgoing = isOutgoing, Scope = scope }.Write(frame);
        _frames.TryAdd(FrameKind.SocketOwner, frame);
    }

    private FlowProcess Describe(KnownProcess process, in socket_owner owner, ProcessSource source)
    {
        ProcessFacts facts = process.Facts;
        CgroupText cgroup = _cgroups.PathOf(owner.cgroup) is string path ? CgroupText.Of(path) : facts.Cgroup;
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
            Cgroup = cgroup.Path,
            Unit = cgroup.Unit ?? facts.Cgroup.Unit,
            Container = cgroup.Container ?? facts.Cgroup.Container,
            Source = source,
        };
    }
}
