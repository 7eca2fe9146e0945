using Conntracker.Core.Sources;
namespace Conntracker.Core.Capture;
internal sealed class IptablesFeed : IDisposable { public IptablesFeed(FlowCollector c, FrameSink s, CaptureNotices n, CaptureClock k, Wakeup w, ulong cookie) { } private long _d = long.MaxValue; public long Due => _d; public void Look() { _d = long.MaxValue; } public bool Take() => _d == 0; public void Finish() { _d = long.MaxValue; } public void Dispose() { } }
