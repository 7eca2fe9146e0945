



using Conntracker.Core.Netlink;

namespace Conntracker.Core.Conntrack;

/// <summary>Dumps the kernel's table of connections, one dump at a time. Used on one thread.</summary>
internal interface IDumpSource : IDisposable
{
    /// <summary>Asks for the table. The last dump was taken to its end, or has failed.</summary>
    /// <exception cref="ConntrackException">The kernel did not take the request.</exception>
    void Begin();

    /// <summary>Takes what was received. Its batch is to be given back by <see cref="Return"/>.</summary>
    /// <returns>False when there is nothing to take yet.</returns>
    bool TryTake(out DumpPart part);

    /// <summary>Gives a batch back.</summary>
    void Return(DatagramBatch batch);
}
