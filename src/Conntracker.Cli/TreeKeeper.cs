using Conntracker.Core.Capture;
using Conntracker.Core.Export;
using Conntracker.Core.Views;

namespace Conntracker.Cli;

/// <summary>
/// Keeps a tree while a capture runs, on a thread of its own: what is there when it starts, each flow as it begins, and at the end
/// whatever is missing. An entry that cannot be made is told once, and does not end the capture.
/// </summary>
internal sealed class TreeKeeper : IDisposable
{
    // A folder that cannot be written to fails for each of its entries; a full disk for all of them.
    private const int MostFailuresInAPass = 1000;

    private readonly FlowTree _tree;
    private FlowSubscription? _subscription;
    private Thread? _thread;
    private bool _hasFailed;
    private bool _isLimitTold;

    /// <summary>Opens the tree.</summary>
    /// <exception cref="LogFileException">It cannot be written to.</exception>
    public TreeKeeper(string path, FlowTreeOptions options) => _tree = FlowTree.Open(path, options);

    /// <summary>Begins to follow a capture.</summary>
    public void Start(CaptureSession session)
    {
        _subscription = session.Subscribe(FlowQuery.All);
        _thread = new Thread(() => Follow(session, _subscription)) { IsBackground = true, Name = "tree" };
        _thread.Start();
    }

    /// <summary>Completes the tree from the flows of a capture that has ended; false when any entry could not be made when it should have been.</summary>
    public bool Finish(CaptureSession session)
    {
        // The end of the capture has ended the subscription.
        _thread?.Join();
        WriteAll(session);
        if (_tree.DescribeLimit("--max-flows") is string limited)
        {
            Messages.Notice(limited);
        }

        return !_hasFailed;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _subscription?.Complete();
        _thread?.Join();
        _tree.Dispose();
    }

    private void Follow(CaptureSession session, FlowSubscription subscription)
    {
        WriteAll(session);
        while (subscription.Reader.WaitToReadAsync().AsTask().GetAwaiter().GetResult())
        {
            while (subscription.Reader.TryRead(out Flow? flow))
            {
                Try(() => _tree.Write(flow));
            }
        }
    }

    private void WriteAll(CaptureSession session)
    {
        using FlowSnapshot snapshot = session.Snapshot();
        int failures = 0;
        for (int place = 0; place < snapshot.PlaceCount && failures < MostFailuresInAPass; place++)
        {
            int now = place;
            failures += Try(() => _tree.Write(snapshot, now)) ? 0 : 1;
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
                Messages.Notice($"The tree '{_tree.Path}' has reached its limit (--max-flows): further entries are folded into subnets.");
            }

            return true;
        }
        catch (LogFileException error)
        {
            if (!_hasFailed)
            {
                Messages.Notice($"{error.Message} The capture goes on; further entries are tried, and the exit code will be {ExitCode.Failed}.");
            }

            _hasFailed = true;
            return false;
        }
    }
}
