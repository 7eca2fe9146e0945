using System.Collections.Concurrent;
using Conntracker.Core.Feeds;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Conntrack;

/// <summary>
/// Dumps conntrack's table on a thread of its own: the kernel builds the next parts while the last ones are processed, which makes a
/// dump about as fast as the kernel can be. There are few batches, so the reader waits for the capture's thread to return them.
/// </summary>
internal sealed class DumpReader : IDumpSource
{
    private const int Batches = 4;

    private readonly Wakeup _filled;
    private readonly BlockingCollection<DatagramBatch> _empty = new(Batches);
    private readonly ConcurrentQueue<DumpPart> _full = new();
    private readonly CancellationTokenSource _stop = new();
    private NetlinkDump _dump = NetlinkDump.OpenConntrack();
    private Thread? _thread;
    private bool _hasFailed;

    /// <summary>Opens the source in the calling thread's network namespace.</summary>
    /// <param name="filled">Set whenever a part is ready.</param>
    public DumpReader(Wakeup filled)
    {
        _filled = filled;
        for (int i = 0; i < Batches; i++)
        {
            _empty.Add(NetlinkDump.NewBatch());
        }
    }

    /// <inheritdoc/>
    public void Begin()
    {
        _thread?.Join();
        if (_hasFailed)
        {
            // The kernel may still queue the rest of the failed dump on the old socket. It must not become part of this one.
            NetlinkDump fresh = NetlinkDump.OpenConntrack();
            _dump.Dispose();
            _dump = fresh;
            _hasFailed = false;
        }

        _dump.RequestConntrack();
        _thread = new Thread(Read) { IsBackground = true, Name = "conntracker dump" };
        _thread.Start();
    }

    /// <inheritdoc/>
    public bool TryTake(out DumpPart part)
    {
        bool hasTaken = _full.TryDequeue(out part);
        _hasFailed |= hasTaken && part.Batch is null;
        return hasTaken;
    }

    /// <inheritdoc/>
    public void Return(DatagramBatch batch) => _empty.Add(batch);

    /// <summary>Stops reading and closes the source.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _thread?.Join();
        _dump.Dispose();
        foreach (DatagramBatch batch in _empty)
        {
            batch.Dispose();
        }

        _empty.Dispose();
        _stop.Dispose();
    }

    private void Read()
    {
        try
        {
            bool ended = false;
            while (!ended)
            {
                DatagramBatch batch = _empty.Take(_stop.Token);
                int received = _dump.WaitAndReceive(batch, _stop.Token);
                DumpPart part = received < 0 ? DumpPart.Failed(-received) : DumpPart.Of(batch, received);
                if (part.Batch is null)
                {
                    _empty.Add(batch);
                }

                ended = part.IsLast;
                _full.Enqueue(part);
                _filled.Set();
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed while it was reading.
        }
    }
}
