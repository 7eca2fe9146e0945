using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Conntrack;

/// <summary>
/// Reads the kernel's table of connections into a sink: when the capture begins, after events were lost, on request, and periodically while there
/// are flows that only the table can follow. A failed dump is requested again; only the first one can end the capture.
/// Used on the capture's thread.
/// </summary>
internal sealed class TableFeed : IDisposable
{
    /// <summary>The number of attempts for the first dump, and for the last one.</summary>
    private const int Tries = 4;

    private readonly IDumpSource _source;
    private readonly Func<bool> _hasEventless;
    private readonly MessageSink _sink;
    private readonly CaptureNotices _notices;
    private readonly CaptureClock _clock;
    private readonly Wakeup _wakeup;
    private readonly DumpSchedule _schedule = new();
    private bool _wasInterrupted;

    /// <param name="source">Dumps the table; disposed with the feed.</param>
    /// <param name="hasEventless">Whether there are open flows that only a dump can follow.</param>
    /// <param name="sink">Receives the messages.</param>
    /// <param name="notices">Receives notices for the user.</param>
    /// <param name="clock">The capture's time.</param>
    /// <param name="wakeup">Set by the source when a part is ready.</param>
    public TableFeed(IDumpSource source, Func<bool> hasEventless, MessageSink sink, CaptureNotices notices, CaptureClock clock, Wakeup wakeup)
    {
        _source = source;
        _hasEventless = hasEventless;
        _sink = sink;
        _notices = notices;
        _clock = clock;
        _wakeup = wakeup;
    }

    /// <summary>Whether a dump is in progress.</summary>
    public bool IsReading { get; private set; }

    /// <summary>Whether the table was read completely at least once.</summary>
    public bool HasRead => _schedule.HasRead;

    /// <summary>
    /// When <see cref="RequestNext"/> has something to do: ticks of <see cref="CaptureClock.Now"/>; <see cref="long.MaxValue"/> for never, and while a
    /// dump is in progress.
    /// </summary>
    public long Due => IsReading ? long.MaxValue : _schedule.Due(_hasEventless());

    /// <summary>Notes that events were lost: the table shows what they would have reported.</summary>
    public void NeedRepair() => _schedule.NeedRepair();

    /// <summary>Notes that a reader needs the table's current content.</summary>
    public void WantRefresh() => _schedule.IsRefreshWanted = true;

    /// <summary>Requests the table.</summary>
    /// <exception cref="ConntrackException">The first dump was refused.</exception>
    public void Request(DumpReason reason)
    {
        _schedule.Begin(reason, _clock.Now);
        try
        {
            _source.Begin();
        }
        catch (ConntrackException error) when (_schedule.HasRead)
        {
            Fail(error.Message);
            return;
        }

        IsReading = true;
        _wasInterrupted = false;
        _sink.Put(MessageKind.DumpRequested, _clock.Now, [(byte)reason]);
    }

    /// <summary>Requests the table if that is due and no dump is in progress. The caller has read all queued events.</summary>
    public void RequestNext()
    {
        if (_clock.Now >= Due && _schedule.Next(_hasEventless()) is DumpReason reason)
        {
            Request(reason);
        }
    }

    /// <summary>Reads the received parts of a dump, without waiting, and only as many at a time as leave events their turn.</summary>
    /// <exception cref="ConntrackException">The first dump has failed.</exception>
    public void Take()
    {
        const int BatchesInTurn = 4;
        int taken = 0;
        while (IsReading && taken < BatchesInTurn && _source.TryTake(out DumpPart part))
        {
            taken++;
            _wasInterrupted |= part.WasInterrupted;
            if (part.Batch is null)
            {
                // A replay of the recording must see the end of the dump, too.
                _sink.Put(MessageKind.ConntrackDump, _clock.Now, EndOfDump(part.Error));
            }
            else
            {
                _sink.Put(MessageKind.ConntrackDump, _clock.Now, part.Batch, part.Count);
                _source.Return(part.Batch);
            }

            if (part.IsLast)
            {
                IsReading = false;
                End(part.Error);
            }
        }

        if (taken == BatchesInTurn)
        {
            _wakeup.Set();
        }
    }

    /// <summary>
    /// Ends the feed, after the last event: completes a dump in progress, and reads the table once more if needed.
    /// </summary>
    /// <param name="isWanted">Whether to read the table in any case.</param>
    public void Finish(bool isWanted)
    {
        _schedule.IsRefreshWanted |= isWanted;
        int requests = 0;
        while (IsReading || _schedule.Next(requests == 0 && _hasEventless()) is not null)
        {
            if (!IsReading && requests == Tries)
            {
                _notices.Add("last-dump",
                    "The kernel's table could not be read at the end of the capture. Flows that are shown as open may be closed, and earlier losses are " +
                        "not repaired.");
                return;
            }

            if (!IsReading)
            {
                // No pause of the schedule: those protect what a running capture would miss.
                Thread.Sleep(TimeSpan.FromMilliseconds(100 * requests));
                Request(_schedule.Next(_hasEventless())!.Value);
                requests++;
            }

            Take();
            WaitForMore();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _source.Dispose();

    private void End(int errno)
    {
        if (errno == 0)
        {
            _schedule.End(isWhole: !_wasInterrupted, _clock.Now);
        }
        else if (_schedule.HasRead || (ConntrackDumpError.IsPassing(errno) && _schedule.Failures + 1 < Tries))
        {
            Fail(Errno.Describe(errno) + ".");
        }
        else
        {
            throw ConntrackDumpError.Of(errno);
        }
    }

    private void Fail(string why)
    {
        _schedule.Fail(_clock.Now);
        _notices.Add("dump", $"The kernel stopped reading its table: {why} It is read again after a pause. Until then, flows may be out of date.");
    }

    private static byte[] EndOfDump(int errno)
    {
        NetlinkWriter writer = new(stackalloc byte[32]);
        writer.BeginMessage(NetlinkConstants.NLMSG_ERROR, flags: 0, sequence: 0);
        writer.WriteStruct(-errno);
        writer.EndMessage();
        return writer.Written.ToArray();
    }

    private void WaitForMore()
    {
        const int Patience = 100;
        if (IsReading && Poll.IsReadable(_wakeup.Number, Patience))
        {
            _wakeup.Clear();
        }
    }
}
