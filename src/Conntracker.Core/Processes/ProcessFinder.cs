


namespace Conntracker.Core.Processes;

/// <summary>
/// Finds the process that had an id when a socket was noted. What is known from before is looked at again where the host's forks and execs are not seen,
/// or were lost: an id is used again, and what ran under it must not be named for it. For one thread.
/// </summary>
/// <param name="cache">The processes.</param>
/// <param name="gate">Guards the cache; never held while something is read.</param>
/// <param name="reader">Reads processes.</param>
internal sealed class ProcessFinder(ProcessCache cache, Lock gate, IProcessReader reader)
{
    // The kernel gives ids out in turn: none comes again that soon, though tens of thousands of processes begin in a second.
    private const ulong SafeTime = 100_000_000;

    /// <summary>Finds a process; one of which nothing can be known has neither facts nor a name.</summary>
    /// <param name="id">The process id.</param>
    /// <param name="time">When the socket was noted, in nanoseconds of the kernel's monotonic clock; all ones for now.</param>
    /// <param name="unseenUntil">Forks and execs before this time may not have been seen: the same clock; 0 for none, all ones when none is ever seen.</param>
    public KnownProcess Find(int id, ulong time, ulong unseenUntil)
    {
        KnownProcess? found;
        lock (gate)
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
            lock (gate)
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
        lock (gate)
        {
            cache.Add(read, replaced: known);
            if (read.Since <= time)
            {
                return read;
            }

            // The id is another one's by now.
            return cache.AddUnknown(id, time);
        }
    }
}
