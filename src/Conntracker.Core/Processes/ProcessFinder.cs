namespace Conntracker.Core.Processes;

/// <summary>
/// Finds the process that had an id when the owner of a socket was recorded. Where the host's forks and execs are not seen, or were lost, a known
/// process is read again: ids are reused, and an earlier process must not be named for the new one. For one thread.
/// </summary>
/// <param name="cache">The processes.</param>
/// <param name="cacheLock">The lock of the cache; never held during a read.</param>
/// <param name="reader">Reads processes.</param>
internal sealed class ProcessFinder(ProcessCache cache, Lock cacheLock, IProcessReader reader)
{
    // The kernel assigns ids in sequence: none is reused that soon, even when tens of thousands of processes begin per second.
    private const ulong SafeTime = 100_000_000;

    /// <summary>Finds a process; an unknown one has neither facts nor a name.</summary>
    /// <param name="id">The process id.</param>
    /// <param name="time">When the owner was recorded, in nanoseconds of the kernel's monotonic clock; all ones for now.</param>
    /// <param name="unseenUntil">Forks and execs before this time may be unseen: the same clock; 0 for none, all ones when none is ever seen.</param>
    public KnownProcess Find(int id, ulong time, ulong unseenUntil)
    {
        KnownProcess? found;
        lock (cacheLock)
        {
            found = cache.Find(id, time);
        }

        if (found is null)
        {
            return Read(id, time, known: null);
        }

        if (time > found.Proven && unseenUntil > found.Proven && !IsStill(found, time))
        {
            return Read(id, time, found);
        }

        if (found.IsInherited)
        {
            KnownProcess own = reader.Read(id, found.Since);
            lock (cacheLock)
            {
                cache.Flush(found, own);
            }
        }

        return found;
    }

    private bool IsStill(KnownProcess known, ulong time)
    {
        ulong now = reader.Now;
        ProcessStat? stat = reader.ReadStat(known.Id);
        if (stat is null)
        {
            return known.Facts == ProcessFacts.None || time - known.Proven <= SafeTime;
        }

        bool isStill = stat == known.Stat;
        if (isStill)
        {
            known.Proven = now;
        }

        return isStill;
    }

    private KnownProcess Read(int id, ulong time, KnownProcess? known)
    {
        KnownProcess read = reader.Read(id, since: 0);
        lock (cacheLock)
        {
            cache.Add(read, replaced: known);
            if (read.Since <= time)
            {
                return read;
            }

            // The id belongs to another process by now.
            return cache.AddUnknown(id, time);
        }
    }
}
