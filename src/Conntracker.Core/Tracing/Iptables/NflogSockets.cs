using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Shares NFLOG group 0 among the captures of this process: a network namespace has one such group, and only one socket can hold it. The first
/// subscriber opens it and starts a thread that reads, the last one ends both.
/// </summary>
internal static class NflogSockets
{
    private static readonly Lock s_lock = new();
    private static readonly Dictionary<NetworkNamespaceId, NflogReader> s_readers = [];

    /// <summary>Subscribes to the group of the calling thread's network namespace.</summary>
    /// <param name="networkNamespace">That namespace.</param>
    /// <param name="arrived">Set when datagrams have arrived; it must live at least as long as the subscriber.</param>
    /// <param name="capacity">The size of the subscriber's queue, in bytes.</param>
    /// <exception cref="ConntrackException">The group is not available: see <see cref="NflogSource"/>.</exception>
    public static NflogSubscriber Attach(NetworkNamespaceId networkNamespace, Wakeup arrived, int capacity = DatagramRing.DefaultCapacity)
    {
        lock (s_lock)
        {
            // A failed reader keeps only its existing subscribers; its socket is closed, so the group is free.
            if (!s_readers.TryGetValue(networkNamespace, out NflogReader? reader) || !reader.IsReading)
            {
                reader = new NflogReader();
                s_readers[networkNamespace] = reader;
            }

            NflogSubscriber tap = new(arrived, each => Detach(networkNamespace, reader, each), capacity);
            reader.Add(tap);
            return tap;
        }
    }

    private static void Detach(NetworkNamespaceId networkNamespace, NflogReader reader, NflogSubscriber tap)
    {
        // The lock is held until the socket is closed: the next subscriber needs the group.
        lock (s_lock)
        {
            if (reader.Remove(tap))
            {
                reader.Dispose();
                if (s_readers.GetValueOrDefault(networkNamespace) == reader)
                {
                    s_readers.Remove(networkNamespace);
                }
            }
        }
    }
}
