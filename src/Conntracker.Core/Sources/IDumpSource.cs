namespace Conntracker.Core.Sources;

/// <summary>Dumps the kernel's table of connections, one dump at a time. Used on one thread.</summary>
internal interface IDumpSource : IDisposable
{
    /// <summary>Asks for the table. The last dump was taken to its end, or has failed.</summary>
    /// <exception cref="ConntrackException">The kernel did not take the request.</exception>
    void Begin();

    /// <summary>Takes what was received; to be given back by <see cref="Return"/>.</summary>
    /// <param name="batch">The datagrams; null when the dump has failed.</param>
    /// <param name="count">How many; the negative error number when the dump has failed: nothing more comes of it.</param>
    /// <returns>False when there is nothing to take yet.</returns>
    bool TryTake(out DatagramBatch? batch, out int count);

    /// <summary>Gives a batch back.</summary>
    void Return(DatagramBatch batch);
}
