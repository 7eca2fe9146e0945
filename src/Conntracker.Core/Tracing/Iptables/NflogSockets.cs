





using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Shares NFLOG group 0 among the captures of this process: a network namespace has one such group, and one socket can hold it. The
/// first tap opens it and starts a thread that reads, the last one ends both.
/// </summary>
internal static class NflogSockets
{
    private static readonly Lock s_gate = new();
    private static readonly Dictionary<NetworkNamespaceId, NflogReader> s_readers = [];

    /// <summary>Taps the group of the calling thread's network namespace.</summary>
    /// <param name="networkNamespace">That namespace.</param>
    /// <param name="arrived">Set when something came; it must live at least as long as the tap.</param>
    /// <param name="capacity">The size of the tap's queue, in bytes.</param>
    /// <exception cref="ConntrackException">The group cannot be taken: see <see cref="NflogSource"/>.</exception>
    public static NflogSubscriber Attach(NetworkNamespaceId networkNamespace, Wakeup arrived, int capacity = DatagramRing.DefaultCapacity)
    {
        lock (s_gate)
        {
            // A reader that has failed is left to the taps it has; its socket is closed, so the group is free.
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
        // Under the lock until the socket is closed: who attaches next needs the group.
        lock (s_gate)
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
