using System.Buffers.Binary;
using System.Collections.Concurrent;
using Conntracker.Core.Feeds;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>The result of a lookup.</summary>
/// <param name="Key">The requested tuple.</param>
/// <param name="IsOutgoing">True for the sender's socket, false for the receiver's.</param>
/// <param name="Process">The process.</param>
/// <param name="User">The socket's user: the effective one of the process that made it.</param>
/// <param name="RealUser">The real user of the process, at the time of the lookup; null when it has ended.</param>
internal readonly record struct FoundSocket(FlowKey Key, bool IsOutgoing, int Process, uint User, uint? RealUser);

/// <summary>
/// Looks up the owners of sockets with INET_DIAG and /proc, on a thread of its own, since a walk over all processes takes long. Requests beyond its
/// bound are counted, but not answered.
/// </summary>
internal sealed class SocketLookup : ISocketLookup, IDisposable
{
    private const int MaximumQuestions = 65_536;

    private static readonly TimeSpan s_lastPatience = TimeSpan.FromSeconds(2);

    private readonly SocketDiagSource _diag = new();
    private readonly SocketInodes _inodes = new();
    private readonly ProcDirectory _folder = new();
    private readonly BlockingCollection<(FlowKey Key, bool IsOutgoing)> _questions = new(MaximumQuestions);
    private readonly ConcurrentQueue<FoundSocket> _found = new();
    private readonly Wakeup _answered;
    private readonly Thread _thread;
    private long _lost;

    /// <summary>Opens the source in the calling thread's network namespace, and starts the thread.</summary>
    /// <param name="answered">Set when there is an answer.</param>
    public SocketLookup(Wakeup answered)
    {
        _answered = answered;
        _thread = new Thread(Work) { IsBackground = true, Name = "conntracker lookup" };
        _thread.Start();
    }

    /// <summary>
    /// The protocols whose sockets the kernel cannot look up, for a message; null when there are none. Call it before any other request.
    /// </summary>
    public string? FindMissing()
    {
        List<string> missing = [];
        foreach (FlowProtocol protocol in (FlowProtocol[])[FlowProtocol.Tcp, FlowProtocol.Udp])
        {
            if (!_diag.CanFind((byte)protocol))
            {
                missing.Add(protocol.ToString().ToUpperInvariant());
            }
        }

        return missing.Count == 0 ? null : string.Join(" and ", missing);
    }

    /// <summary>How many requests were dropped for lack of room. Read by any thread.</summary>
    public long Lost => Interlocked.Read(ref _lost);

    /// <inheritdoc/>
    public void Ask(in FlowKey key, bool isOutgoing)
    {
        if (!_questions.IsAddingCompleted && !_questions.TryAdd((key, isOutgoing)))
        {
            Interlocked.Increment(ref _lost);
        }
    }

    /// <summary>Takes an answer.</summary>
    public bool TryTake(out FoundSocket found) => _found.TryDequeue(out found);

    /// <summary>Ends the requests: waits, with a short limit, for the answers that are due.</summary>
    public void Finish()
    {
        _questions.CompleteAdding();
        _thread.Join(s_lastPatience);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _questions.CompleteAdding();
        while (_questions.TryTake(out _))
        {
        }

        _thread.Join();
        _questions.Dispose();
        _diag.Dispose();
    }

    private void Work()
    {
        foreach ((FlowKey key, bool isOutgoing) in _questions.GetConsumingEnumerable())
        {
            if (Find(in key, isOutgoing) is FoundSocket found)
            {
                _found.Enqueue(found);
                _answered.Set();
            }
        }
    }

    private FoundSocket? Find(in FlowKey key, bool isOutgoing)
    {
        FlowKey ends = isOutgoing ? key : FlowKey.Reverse(in key);
        byte family = (byte)(key.Family == FlowFamily.IPv4 ? AF_INET : AF_INET6);
        try
        {
            inet_diag_sockid id = IdOf(in ends);
            bool isFound = _diag.TryFind(in id, family, (byte)key.Protocol, out inet_diag_msg socket);
            int process = isFound ? _inodes.HolderOf(socket.idiag_inode) : 0;
            return process == 0 ? null : new FoundSocket(key, isOutgoing, process, socket.idiag_uid, RealUserOf(process));
        }
        catch (Exception error) when (error is ConntrackException or IOException or UnauthorizedAccessException)
        {
            // The kernel refused this one: the flow stays without its process.
            return null;
        }
    }

    private uint? RealUserOf(int process)
    {
        if (!_folder.TryOpen(process))
        {
            return null;
        }

        uint? user = ProcessText.RealUser(_folder.Read("status"));
        _folder.Close();
        return user;
    }

    // The kernel takes the remote end as the source when it looks up datagram sockets, "for historical reasons".
    private static unsafe inet_diag_sockid IdOf(in FlowKey ends)
    {
        FlowEndpoints from = ends.Protocol == FlowProtocol.Tcp ? ends.Original : FlowKey.Reverse(in ends).Original;
        inet_diag_sockid id = new()
        {
            idiag_sport = BinaryPrimitives.ReverseEndianness(from.SrcPort),
            idiag_dport = BinaryPrimitives.ReverseEndianness(from.DstPort),
        };
        from.Src.Write(ends.Family, new Span<byte>(id.idiag_src, 16));
        from.Dst.Write(ends.Family, new Span<byte>(id.idiag_dst, 16));
        return id;
    }
}
