using System.Buffers.Binary;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Conntrack;

/// <summary>A received part of a dump.</summary>
/// <param name="Batch">The datagrams; null when the socket failed.</param>
/// <param name="Count">The number of datagrams.</param>
/// <param name="IsLast">Whether this is the last part.</param>
/// <param name="Error">The error number that ended the dump; 0 for none.</param>
/// <param name="WasInterrupted">Whether the kernel reports that entries may be missing, because the table changed during the dump (NLM_F_DUMP_INTR).</param>
internal readonly record struct DumpPart(DatagramBatch? Batch, int Count, bool IsLast, int Error, bool WasInterrupted)
{
    /// <summary>The socket failed.</summary>
    /// <param name="error">The error number.</param>
    public static DumpPart Failed(int error) => new(null, 0, IsLast: true, error, WasInterrupted: false);

    /// <summary>Searches datagrams for the end of the dump: it is in a datagram of its own or after the last entries.</summary>
    public static DumpPart Of(DatagramBatch batch, int count)
    {
        bool isLast = false;
        bool wasInterrupted = false;
        int error = 0;
        for (int i = 0; i < count; i++)
        {
            NetlinkMessageReader messages = new(batch[i]);
            while (messages.TryRead(out NetlinkMessage message))
            {
                wasInterrupted |= (message.Flags & NetlinkConstants.NLM_F_DUMP_INTR) != 0;
                if (message.Type is NetlinkConstants.NLMSG_DONE or NetlinkConstants.NLMSG_ERROR)
                {
                    isLast = true;
                    error = message.Payload.Length >= sizeof(int) ? -BinaryPrimitives.ReadInt32LittleEndian(message.Payload) : 0;
                }
            }
        }

        return new DumpPart(batch, count, isLast, error, wasInterrupted);
    }
}
