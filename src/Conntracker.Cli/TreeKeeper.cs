using System.Diagnostics;
using System.Threading.Channels;

namespace Conntracker.Cli;

/// <summary>
/// Updates a tree while a capture runs, on a thread of its own: with the flows that exist at the start, each flow as it begins, the time of each last
/// packet once a minute, and at the end whatever is missing. An entry that cannot be created is reported once, and does not end the capture.
/// </summary>
internal sealed class TreeKeeper : IDisposable
{
    // A directory without write permission fails for each of its entries, a full disk for all of them.
    private const int MostFailuresInAPass = 1000;

    private static readonly TimeSpan s_betweenPasses = TimeSpan.FromMinutes(1);

    private readonly FlowTree _tree;
    private FlowSubscription? _subscription;
    private Thread? _thread;
    private bool _hasFailed;
    private bool _isLimitTold;
    private bool _isShareTold;

    /// <summary>Opens the tree.</summary>
    /// <exception cref="LogFileException">It cannot be written to.</exception>
    public TreeKeeper(string path, FlowTreeOptions options) => _tree = FlowTree.Open(path, options);

    /// <summary>Starts to follow a capture.</summary>
    /// <param name="session">The capture.</param>
    /// <param name="isLive">Whether it is a live capture, not a recording or a capture file.</param>
    /// <returns>An object that stops following when disposed; dispose it before the capture.</returns>
    public IDisposable Start(CaptureSession session, bool isLive)
    {
        _subscription = session.Subscribe(FlowQuery.All);
        _thread = new Thread(() => Guard(() => Follow(session, _subscription.Reader, isLive))) { IsBackground = true, Name = "tree" };
        _thread.Start();
        return new Following(this);
    }

    /// <summary>
    /// Completes the tree from the flows of a capture that has ended; false when any entry could not be created when it was due.
    /// </summary>
    public bool Finish(CaptureSession session)
    {
        // The end of the capture has ended the subscription.
        _thread?.Join();
        Guard(() =>
        {
            WriteAll(session, isLive: false);
            Try(_tree.Complete);
        });
        if (_tree.DescribeLimit("--max-flows") is string limited)
        {
            Messages.Notice(limited);
        }

        return !_hasFailed;
    }

    /// <inheritdoc/>
    public void Dispose() => _tree.Dispose();

    private void Follow(CaptureSession session, ChannelReader<Flow> flows, bool isLive)
    {
        WriteAll(session, isLive);
        long lastPass = Stopwatch.GetTimestamp();
        Task<bool>? more = null;
        while (true)
        {
            TimeSpan untilPass = s_betweenPasses - Stopwatch.GetElapsedTime(lastPass);
            if (untilPass <= TimeSpan.Zero)
            {
                WriteAll(session, isLive);
                lastPass = Stopwatch.GetTimestamp();
            }
            else if (flows.TryRead(out Flow? flow))
            {
                Try(() => _tree.Write(flow));
            }
            else
            {
                more ??= flows.WaitToReadAsync().AsTask();
                if (more.Wait(untilPass))
                {
                    if (!more.Result)
                    {
                        return;
                    }

                    more = null;
                }
            }
        }
    }

    private void WriteAll(CaptureSession session, bool isLive)
    {
        using FlowSnapshot snapshot = session.Snapshot();
        DateTimeOffset? now = isLive ? DateTimeOffset.UtcNow : null;
        int failures = 0;
        for (int slot = 0; slot < snapshot.SlotCount && failures < MostFailuresInAPass; slot++)
        {
            int here = slot;
            failures += Try(() => _tree.Write(snapshot, here, now)) ? 0 : 1;
        }
    }

    private bool Try(Action write)
    {
        try
        {
            write();
            if (!_isLimitTold && _tree.IsLimited)
            {
                _isLimitTold = true;
                Messages.Notice($"The tree '{_tree.Path}' has reached its limit (--max-flows). New entries are folded into subnets.");
            }

            if (!_isShareTold && _tree.IsShareLimited)
            {
                _isShareTold = true;
                Messages.Notice($"The tree '{_tree.Path}' has reached the limit of entries of unanswered flows: further ones are folded into subnets.");
            }

            return true;
        }
        catch (LogFileException error)
        {
            if (!_hasFailed)
            {
                Messages.Notice($"{error.Message} The capture continues and tries to create further entries. The exit code will be {ExitCode.Failed}.");
            }

            _hasFailed = true;
            return false;
        }
    }

    // A defect in the tree must not cost the capture: an exception that leaves the thread would end the process, one at the end the log.
    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (Exception error)
        {
            _hasFailed = true;
            Messages.Notice($"The tree '{_tree.Path}' is incomplete: {ErrorText.Of(error)} The exit code will be {ExitCode.Failed}.");
        }
    }

    private sealed class Following(TreeKeeper keeper) : IDisposable
    {
        public void Dispose()
        {
            keeper._subscription?.Dispose();
            keeper._thread?.Join();
        }
    }
}
