using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.NflogConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// NFLOG group 0 of a network namespace: traced packets of iptables-legacy are logged here when nfnetlink_log is the namespace's logger. Only one
/// socket can hold the group. Opening it loads the kernel module, without which the logger cannot be set.
/// </summary>
internal sealed class NflogSource : IDisposable
{
    // Lines of a trace come one per datagram, at once, whatever threshold is requested (default_loginfo of nfnetlink_log.c). The kernel reserves a
    // page for each, which is the minimum that can be set: the buffer holds some 15,000 lines.
    private const int DefaultBufferSize = 32 << 20;
    private const int BatchCapacity = 128;
    private const int DatagramSize = 8192;

    // IPv6, an ICMP error and the packet that caused it, with room for a few options.
    private const int CopiedBytes = 128;

    // In hundredths of a second: for user rules that log to the same group and have the kernel batch their messages.
    private const int Timeout = 1;

    private readonly NetlinkSocket _socket;
    private readonly DatagramBatch _batch = new(BatchCapacity, DatagramSize);

    /// <summary>Takes the group in the calling thread's network namespace; lines are queued from here on.</summary>
    /// <param name="bufferSize">The receive buffer, in bytes.</param>
    /// <exception cref="ConntrackException">
    /// Another socket holds the group (<see cref="ConntrackErrorReason.NflogBusy"/>), the kernel lacks NFLOG, or no privilege.
    /// </exception>
    public NflogSource(int bufferSize = DefaultBufferSize)
    {
        _socket = NetlinkSocket.Open(NetlinkConstants.NETLINK_NETFILTER, "NFLOG group 0");
        try
        {
            _socket.SetReceiveBuffer(bufferSize);
            Bind();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The datagrams of the last <see cref="Receive"/>; one may hold many lines.</summary>
    public DatagramBatch Batch => _batch;

    /// <summary>The descriptor's number, for poll(2).</summary>
    public int Number => _socket.Number;

    /// <summary>The socket's address (nl_pid), which shows the holder of the group to others.</summary>
    public uint PortId => _socket.PortId;

    /// <summary>Receives what is queued, without waiting.</summary>
    /// <returns>How many datagrams came; the negative error number when none did: -ENOBUFS is an overrun.</returns>
    public int Receive() => _batch.Receive(_socket.Descriptor);

    /// <summary>
    /// How many datagrams the kernel could not queue since the last call; null when the kernel does not report it. Call it on a thread of the
    /// socket's own network namespace.
    /// </summary>
    public long? TakeDrops() => _socket.TakeDrops();

    /// <summary>Releases the group.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        _batch.Dispose();
    }

    // One message sets everything, so that no line comes with other settings. PF_BIND is not requested: it would set the namespace's logger, which
    // SettingsLease sets and restores.
    private void Bind()
    {
        nfulnl_msg_config_mode mode = new() { copy_range = BinaryPrimitives.ReverseEndianness((uint)CopiedBytes), copy_mode = NFULNL_COPY_PACKET };
        NetlinkWriter writer = new(stackalloc byte[128]);
        writer.BeginMessage((NFNL_SUBSYS_ULOG << 8) | NFULNL_MSG_CONFIG, NetlinkConstants.NLM_F_REQUEST | NetlinkConstants.NLM_F_ACK, 1);
        writer.WriteStruct(new nfgenmsg { version = ConntrackConstants.NFNETLINK_V0 });
        writer.WriteByte(NFULA_CFG_CMD, NFULNL_CFG_CMD_BIND);
        writer.WriteBytes(NFULA_CFG_MODE, MemoryMarshal.AsBytes(new ReadOnlySpan<nfulnl_msg_config_mode>(in mode)));
        writer.WriteUInt32BigEndian(NFULA_CFG_TIMEOUT, Timeout);
        writer.WriteUInt16BigEndian(NFULA_CFG_FLAGS, NFULNL_CFG_F_SEQ);
        writer.EndMessage();
        _socket.Send(writer.Written);
        int errno = ReadAnswer();
        if (errno != 0)
        {
            throw Refused(errno);
        }
    }

    // The kernel answers before the send call returns. Lines may come before or after the answer; nothing waits for them yet.
    private int ReadAnswer()
    {
        int received;
        while ((received = Receive()) > 0)
        {
            for (int i = 0; i < received; i++)
            {
                NetlinkMessageReader messages = new(_batch[i]);
                while (messages.TryRead(out NetlinkMessage message))
                {
                    if (message.Type == NetlinkConstants.NLMSG_ERROR && message.Payload.Length >= sizeof(int))
                    {
                        return -MemoryMarshal.Read<int>(message.Payload);
                    }
                }
            }
        }

        return -received;
    }

    // A group that another socket holds is refused with EPERM, like a missing capability; EBUSY occurs only when both request it at once.
    private static ConntrackException Refused(int errno) => NflogGroups.HolderOfGroup0(NflogGroups.Path) switch
    {
        uint port when errno == EPERM || errno == EBUSY =>
            Busy(errno, string.Create(CultureInfo.InvariantCulture, $" with the netlink port {port}, usually its process id")),
        null when errno == EBUSY => Busy(errno, ""),
        _ when errno == EPERM || errno == EACCES => new ConntrackException(
            ConntrackErrorReason.PermissionDenied,
            $"Could not bind to NFLOG group 0: {Errno.Describe(errno)}. The capability CAP_NET_ADMIN is missing: run as root, or with sudo."),

        // nfnetlink reports an unknown subsystem as EINVAL.
        _ when errno == ENOENT || errno == EINVAL || errno == EPROTONOSUPPORT || errno == EOPNOTSUPP => new ConntrackException(
            ConntrackErrorReason.KernelFeatureMissing,
            $"Could not bind to NFLOG group 0: {Errno.Describe(errno)}. The kernel lacks CONFIG_NETFILTER_NETLINK_LOG (module nfnetlink_log)."),
        _ => new ConntrackException(ConntrackErrorReason.KernelRefused, $"Could not bind to NFLOG group 0: {Errno.Describe(errno)}."),
    };

    private static ConntrackException Busy(int errno, string holder) => new(
        ConntrackErrorReason.NflogBusy,
        $"NFLOG group 0, which receives the trace of iptables-legacy, is in use by another program{holder}: {Errno.Describe(errno)}. " +
            "Stop that program (often ulogd), or configure another group for it.");
}
