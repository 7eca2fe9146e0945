using Conntracker.Core.Netlink;

namespace Conntracker.Core.Conntrack;

/// <summary>Dumps the kernel's table of connections, one dump at a time. Used on one thread.</summary>
internal interface IDumpSource : IDisposable
{
    /// <summary>Requests the table. The last dump must have been read to its end, or have failed.</summary>
    /// <exception cref="ConntrackException">The kernel refused the request.</exception>
    void Begin();

    /// <summary>Takes the next received part. The caller returns its batch with <see cref="Return"/>.</summary>
    /// <returns>False if none is ready yet.</returns>
    bool TryTake(out DumpPart part);

    /// <summary>Returns a batch.</summary>
    void Return(DatagramBatch batch);
}
