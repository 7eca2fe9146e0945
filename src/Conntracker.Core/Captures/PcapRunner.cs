using Conntracker.Core.Feeds;
using Conntracker.Core.Packets;
using Conntracker.Core.Recording;
using Conntracker.Core.Tracing;

namespace Conntracker.Core.Captures;

/// <summary>Reads a capture file to its end, as fast as possible. Times are those of the file.</summary>
internal sealed class PcapRunner : ICaptureRunner
{
    private readonly PacketSource _source;
    private readonly CaptureNotices _notices;
    private readonly CaptureRecording _recording;
    private readonly MessageSink _sink;
    private readonly string _path;
    private volatile bool _stop;

    /// <summary>Opens the file.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="options">The capture's options.</param>
    /// <param name="collector">Receives the flows.</param>
    /// <param name="notices">Receives notices for the user.</param>
    /// <exception cref="ConntrackException">
    /// The file cannot be opened, is not a capture file, or has an unsupported link type; or the recording's file cannot be created.
    /// </exception>
    public PcapRunner(string path, CaptureOptions options, FlowCollector collector, CaptureNotices notices)
    {
        _path = path;
        _notices = notices;
        _source = PacketSource.OpenFile(path, options.Filter);
        try
        {
            _recording = new CaptureRecording(options.RecordPath, notices, new CaptureClock().TimeOfDay, waits: true);
            _sink = new MessageSink(collector, _recording.Writer);
            PacketFeed.PutLinkType(_source, $"the capture file {path}", _sink, time: 0);
        }
        catch
        {
            _recording?.Dispose();
            _source.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public TraceControl? Tracing => null;

    /// <inheritdoc/>
    public void Run(Action ready)
    {
        _recording.Begin();
        long last = 0;
        int read = 1;
        while (!_stop && (read = _source.Read()) != 0)
        {
            PacketBatch batch = _source.Batch;
            _sink.Put(batch);
            for (int i = 0; i < batch.Count; i++)
            {
                last = Math.Max(last, batch.TimeOf(i));
            }

            if (read == -1)
            {
                _notices.Add("damaged", $"The capture file {_path} is truncated or damaged: {_source.Error}. Only the packets before the damage were read.");
                break;
            }
        }

        if (_stop && read is > 0 or PacketSource.Interrupted)
        {
            _notices.Add("stopped", $"The capture file {_path} was not read to its end, because the capture was stopped.");
        }

        _sink.Put(MessageKind.PacketTime, last);
        _recording.End(last);
        ready();
    }

    /// <inheritdoc/>
    public void RequestStop()
    {
        _stop = true;
        _source.Interrupt();
    }

    /// <inheritdoc/>
    public bool RequestRefresh() => false;

    /// <inheritdoc/>
    public void Dispose()
    {
        _source.Dispose();
        _recording.Dispose();
    }
}
