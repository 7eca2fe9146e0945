using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.HostAddresses;

namespace Conntracker.Core.Processes;

/// <summary>
/// Joins the owners of sockets with flows: by tuple, in both directions, before and after NAT, in whatever order they arrive. Used under the
/// collector's lock.
/// </summary>
internal sealed class ProcessJoin
{
    private readonly FlowTable _table;
    private readonly WaitingOwners _waiting = new();

    // The tuples by which sockets know a flow if they are not its key: after NAT, and without the zone, which packets do not carry.
    private readonly TupleIndex _others;
    private bool _isActive;

    public ProcessJoin(FlowTable table)
    {
        _table = table;
        _others = new TupleIndex(table);
        Processes = new ProcessList(table);
    }

    /// <summary>The processes that flows name.</summary>
    public ProcessList Processes { get; }

    /// <summary>Looks up sockets that nothing reports; null when this is not possible, as in a replay.</summary>
    public ISocketLookup? Lookup { get; private set; }

    /// <summary>Whether sockets of new flows must be looked up as well, because no eBPF program reports them.</summary>
    public bool LooksUpEveryFlow { get; private set; }

    /// <summary>
    /// How many reports of sockets named no process of their flow: two connected network namespaces claim the same end, or it is not known whether
    /// the socket's namespace is connected to the capture's.
    /// </summary>
    public long Uncertain { get; private set; }

    /// <summary>How many owners of sockets, tuples after NAT, processes, and texts of processes were dropped for lack of room.</summary>
    public long Lost => _waiting.Lost + _others.Dropped + Processes.LeftOut + Processes.TextsLeftOut;

    /// <summary>Sets how sockets are looked up.</summary>
    public void UseLookup(ISocketLookup lookup, bool forEveryFlow)
    {
        Lookup = lookup;
        LooksUpEveryFlow = forEveryFlow;
        _isActive = true;
    }

    /// <summary>Handles a report of a process.</summary>
    public void Take(in ProcessReport report)
    {
        _isActive = true;
        Processes.Add(report);
    }

    /// <summary>Handles a report of a socket's owner; the flow may come later.</summary>
    public void Take(in SocketOwner owner, LocalAddresses addresses, long now)
    {
        FlowKey reverse = FlowKey.Reverse(in owner.Key);
        if (!TryAttach(in owner.Key, isOriginal: true, in owner, addresses) && !TryAttach(in reverse, isOriginal: false, in owner, addresses))
        {
            _waiting.Add(in owner, now);
        }
    }

    /// <summary>A flow has appeared, or has a new connection: owners that wait for it are joined.</summary>
    /// <param name="slot">The flow.</param>
    /// <param name="addresses">The host's addresses.</param>
    /// <param name="isOld">Whether it is older than the capture.</param>
    public void FlowAppeared(int slot, LocalAddresses addresses, bool isOld)
    {
        if (!_isActive || _table[slot].Folding != FlowFolding.None)
        {
            return;
        }

        ref FlowRecord record = ref _table[slot];
        FlowKey key = record.Key with { Zone = 0 };
        FlowKey translated = record.Translated();
        if (!FlowKey.AreEqual(in key, in record.Key))
        {
            _others.AddTuple(in key, slot, isReply: false);
        }

        if (!FlowKey.AreEqual(in key, in translated))
        {
            _others.AddTuple(in translated, slot, isReply: false);
        }

        if (_waiting.Count > 0)
        {
            AttachWaiting(slot, in key, addresses);
            if (!FlowKey.AreEqual(in key, in translated))
            {
                AttachWaiting(slot, in translated, addresses);
            }
        }

        if (isOld || LooksUpEveryFlow)
        {
            LookUp(in record, addresses);
        }
    }

    private void AttachWaiting(int slot, in FlowKey original, LocalAddresses addresses)
    {
        if (_waiting.TryTake(in original, out SocketOwner sender, out SocketOwner receiver))
        {
            Attach(slot, isOriginal: true, in sender, addresses);
            Attach(slot, isOriginal: true, in receiver, addresses);
        }

        if (_waiting.TryTake(FlowKey.Reverse(in original), out sender, out receiver))
        {
            Attach(slot, isOriginal: false, in sender, addresses);
            Attach(slot, isOriginal: false, in receiver, addresses);
        }
    }

    private bool TryAttach(in FlowKey tuple, bool isOriginal, in SocketOwner owner, LocalAddresses addresses)
    {
        int slot = _table.Find(in tuple);
        if (slot < 0 || _table[slot].Folding != FlowFolding.None)
        {
            slot = _others.FindTuple(in tuple, out _);
        }

        if (slot < 0 || _table[slot].Folding != FlowFolding.None)
        {
            return false;
        }

        Attach(slot, isOriginal, in owner, addresses);
        return true;
    }

    private void Attach(int slot, bool isOriginal, in SocketOwner owner, LocalAddresses addresses)
    {
        int process = Processes.Find(owner.Process);
        if (process < 0 && owner.Scope != SocketScope.Unproven)
        {
            return;
        }

        // The sender of the original direction is the client; its receiver is the server.
        ref FlowRecord record = ref _table[slot];
        bool isClient = isOriginal == owner.IsOutgoing;
        AddressBits end = isClient ? record.Key.Original.Src : record.Reply.Src;
        if (owner.Scope >= SocketScope.Elsewhere && addresses.IsOwn(record.Key.Family, end))
        {
            // Another network namespace has the same addresses.
            return;
        }

        ref FlowDetails details = ref _table.Details.Of(ref record);
        ref int link = ref (isClient ? ref details.Process : ref details.ReplyProcess);
        if (owner.Scope == SocketScope.Unproven)
        {
            Uncertain += link == 0 ? 1 : 0;
        }
        else if (link > 0 && IsOtherNamespace(in Processes[process], in Processes[link - 1]))
        {
            // Neither can be trusted: containers may have the same addresses.
            link = record.IsClosed ? process + 1 : FlowDetails.Ambiguous;
            Uncertain += link < 0 ? 1 : 0;
        }
        else if (link < 0 ? IsOwn(in Processes[process]) : link == 0 || Rank(process) >= Rank(link - 1))
        {
            link = process + 1;
        }
    }

    private static bool IsOwn(ref readonly ProcessReport report) => report.Scope != SocketScope.Elsewhere;

    private static bool IsOtherNamespace(ref readonly ProcessReport a, ref readonly ProcessReport b) =>
        a.Scope == SocketScope.Elsewhere && b.Scope == SocketScope.Elsewhere && a.Namespace != b.Namespace;

    // Reports of the kernel take precedence over later lookups, and the capture's own network namespace over others.
    private int Rank(int slot)
    {
        ref readonly ProcessReport report = ref Processes[slot];
        return (report.Scope == SocketScope.Elsewhere ? 0 : 2) + (report.Process.Source == ProcessSource.Bpf ? 1 : 0);
    }

    private void LookUp(ref readonly FlowRecord record, LocalAddresses addresses)
    {
        if (Lookup is null || record.Key.Protocol is not (FlowProtocol.Tcp or FlowProtocol.Udp or FlowProtocol.UdpLite))
        {
            return;
        }

        // The client's socket knows the tuple before NAT, the server's the one after it.
        FlowDirection direction = addresses.DirectionOf(in record);
        if (direction is FlowDirection.Out or FlowDirection.Local)
        {
            Lookup.Ask(record.Key with { Zone = 0 }, isOutgoing: true);
        }

        if (direction is FlowDirection.In or FlowDirection.Local)
        {
            Lookup.Ask(record.Translated(), isOutgoing: false);
        }
    }
}
