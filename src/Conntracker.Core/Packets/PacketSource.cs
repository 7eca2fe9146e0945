using System.Runtime.InteropServices;
using Conntracker.Core.Feeds;
using Conntracker.Core.Native;
using Tmds.Linux;
using static Conntracker.Core.Native.PcapConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Packets;

/// <summary>Packets through libpcap: of an interface as they pass, or of a capture file. Used by one thread.</summary>
internal sealed unsafe class PacketSource : IDisposable
{
    /// <summary>Stands for all interfaces.</summary>
    public const string AnyInterface = "any";

    /// <summary>The kernel delivers packets in blocks, after this time at the latest: a wakeup for each packet would cost more than the packet.</summary>
    public static readonly TimeSpan BlockTime = TimeSpan.FromMilliseconds(100);

    /// <summary>The result of <see cref="Read"/> when <see cref="Interrupt"/> ended it before a packet was found.</summary>
    public const int Interrupted = PCAP_ERROR_BREAK;

    private const string Loopback = "lo";
    private const string StandardInput = "-";
    private const int PacketsInBatch = 512;

    private readonly SafePcap _pcap;
    private readonly bool _hasNanoseconds;
    private readonly PacketBatch _batch = new(PacketsInBatch);
    private GCHandle _self;
    private pcap_stat _last;

    private PacketSource(SafePcap pcap, bool hasNanoseconds)
    {
        _pcap = pcap;
        _hasNanoseconds = hasNanoseconds;
        _self = GCHandle.Alloc(this);
    }

    /// <summary>The link type of its frames: a DLT_* number.</summary>
    public int LinkType => Libpcap.pcap_datalink(_pcap);

    /// <summary>libpcap's name of the link type.</summary>
    public string LinkTypeName => Marshal.PtrToStringUTF8(Libpcap.pcap_datalink_val_to_name(LinkType)) ?? $"number {LinkType}";

    /// <summary>The descriptor's number, for poll(2); -1 for a file.</summary>
    public int Number => Libpcap.pcap_get_selectable_fd(_pcap);

    /// <summary>The packets of the last <see cref="Read"/>.</summary>
    public PacketBatch Batch => _batch;

    /// <summary>libpcap's message for the last failure.</summary>
    public string Error => TextOf(_pcap);

    /// <summary>Opens an interface of the calling thread's network namespace; <see cref="Read"/> never waits.</summary>
    /// <param name="name">Its name, or <see cref="AnyInterface"/>. A named one is in promiscuous mode until this is disposed, for mirror ports.</param>
    /// <param name="filter">A filter as pcap-filter(7) describes it; null for none.</param>
    /// <param name="bufferSize">The kernel's buffer, in bytes.</param>
    /// <exception cref="ConntrackException">No such interface, no privilege, an invalid filter, or no libpcap.</exception>
    public static PacketSource OpenInterface(string name, string? filter, int bufferSize)
    {
        SafePcap pcap = Open(error => Libpcap.pcap_create(name, error), out string failure);
        if (pcap.IsInvalid)
        {
            throw Refused(name, failure);
        }

        try
        {
            _ = Libpcap.pcap_set_snaplen(pcap, PacketBatch.SnapLength);
            _ = Libpcap.pcap_set_promisc(pcap, name == AnyInterface ? 0 : 1);
            _ = Libpcap.pcap_set_timeout(pcap, (int)BlockTime.TotalMilliseconds);
            _ = Libpcap.pcap_set_buffer_size(pcap, bufferSize);
            _ = Libpcap.pcap_set_tstamp_precision(pcap, PCAP_TSTAMP_PRECISION_NANO);
            int status = Libpcap.pcap_activate(pcap);
            if (status < 0)
            {
                throw NotActivated(name, status, TextOf(pcap));
            }

            byte* text = stackalloc byte[PCAP_ERRBUF_SIZE];
            text[0] = 0;
            if (Libpcap.pcap_setnonblock(pcap, 1, text) < 0)
            {
                throw Refused(name, Marshal.PtrToStringUTF8((nint)text)!);
            }

            CloseOnExec.Set(Libpcap.pcap_get_selectable_fd(pcap));
            SetFilter(pcap, filter);
            if (name == Loopback)
            {
                // The kernel offers a packet on the loopback twice: when it is sent and when it is received. libpcap uses the second. Before Linux
                // 4.20 the first would only fill the buffer, and count as dropped.
                int yes = 1;
                _ = LibC.setsockopt(Libpcap.pcap_get_selectable_fd(pcap), SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof(int));
            }

            return new PacketSource(pcap, Libpcap.pcap_get_tstamp_precision(pcap) == PCAP_TSTAMP_PRECISION_NANO);
        }
        catch
        {
            pcap.Dispose();
            throw;
        }
    }

    /// <summary>Opens a capture file: pcap or pcapng.</summary>
    /// <param name="path">Its path; <c>-</c> for standard input.</param>
    /// <param name="filter">A filter as pcap-filter(7) describes it; null for none.</param>
    /// <exception cref="ConntrackException">The file cannot be opened or is not a capture file, the filter is invalid, or there is no libpcap.</exception>
    public static PacketSource OpenFile(string path, string? filter)
    {
        nint file = OpenStream(path);
        SafePcap? pcap = null;
        try
        {
            pcap = Open(error => Libpcap.pcap_fopen_offline_with_tstamp_precision(file, PCAP_TSTAMP_PRECISION_NANO, error), out string failure);
            if (pcap.IsInvalid)
            {
                throw new ConntrackException(ConntrackErrorReason.PcapInvalid, $"{path} is not a readable capture file (pcap or pcapng): {failure}.");
            }
        }
        finally
        {
            // From here on libpcap owns the stream.
            if (pcap is null or { IsInvalid: true })
            {
                _ = SafeLibC.fclose(file);
            }
        }

        try
        {
            SetFilter(pcap, filter);
            return new PacketSource(pcap, hasNanoseconds: true);
        }
        catch
        {
            pcap.Dispose();
            throw;
        }
    }

    /// <summary>Reads packets into <see cref="Batch"/>: from an interface those that have arrived, from a file the next ones.</summary>
    /// <returns>
    /// How many; 0 when there are none, or at the end; -1 after a failure (<see cref="Error"/>), which follows the packets in the batch;
    /// <see cref="Interrupted"/>.
    /// </returns>
    public int Read()
    {
        _batch.Clear();
        int status = Libpcap.pcap_dispatch(_pcap, _batch.Capacity, &OnPacket, (byte*)GCHandle.ToIntPtr(_self));
        return status switch
        {
            PCAP_ERROR_BREAK => Interrupted,
            < 0 => -1,
            _ => _batch.Count,
        };
    }

    /// <summary>Ends a <see cref="Read"/> early; any thread may call it. In a file, the next packet that passes the filter may be far away.</summary>
    public void Interrupt()
    {
        try
        {
            Libpcap.pcap_breakloop(_pcap);
        }
        catch (ObjectDisposedException)
        {
            // The source is disposed: there is no read to end.
        }
    }

    /// <summary>What the kernel and the interface have dropped since the last call.</summary>
    public long TakeDrops()
    {
        pcap_stat now;
        if (Libpcap.pcap_stats(_pcap, &now) < 0)
        {
            return 0;
        }

        // The counts have 32 bits and wrap.
        long drops = (long)unchecked(now.ps_drop - _last.ps_drop) + unchecked(now.ps_ifdrop - _last.ps_ifdrop);
        _last = now;
        return drops;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_self.IsAllocated)
        {
            _pcap.Dispose();
            _self.Free();
            _batch.Dispose();
        }
    }

    private delegate nint Opener(byte* errbuf);

    private static SafePcap Open(Opener open, out string failure)
    {
        byte* text = stackalloc byte[PCAP_ERRBUF_SIZE];
        text[0] = 0;
        try
        {
            SafePcap pcap = new(open(text));
            failure = Marshal.PtrToStringUTF8((nint)text)!;
            return pcap;
        }
        catch (DllNotFoundException error)
        {
            throw new ConntrackException(
                ConntrackErrorReason.LibpcapMissing,
                $"Capturing packets requires libpcap, which is not installed (Debian: apt install {Libpcap.Package}; other distributions: " +
                    "the package libpcap). Capturing from connection tracking works without it.",
                error);
        }
    }

    // libpcap would open the file without close-on-exec, and child processes would inherit it.
    private static nint OpenStream(string path)
    {
        if (Directory.Exists(path))
        {
            throw new ConntrackException(ConntrackErrorReason.PcapFailed, $"{path} is a directory, not a capture file.");
        }

        int fd = SafeLibC.open(path == StandardInput ? "/dev/stdin" : path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
        {
            throw new ConntrackException(ConntrackErrorReason.PcapFailed, $"The capture file {path} cannot be opened: {Errno.Describe(Errno.Last)}.");
        }

        nint stream = SafeLibC.fdopen(fd, "r");
        if (stream == 0)
        {
            int errno = Errno.Last;
            _ = LibC.close(fd);
            throw new ConntrackException(ConntrackErrorReason.PcapFailed, $"The capture file {path} cannot be opened: {Errno.Describe(errno)}.");
        }

        return stream;
    }

    private static void SetFilter(SafePcap pcap, string? filter)
    {
        if (filter is null)
        {
            return;
        }

        bpf_program program;
        if (Libpcap.pcap_compile(pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
        {
            throw new ConntrackException(ConntrackErrorReason.FilterInvalid, $"The filter '{filter}' is not valid: {TextOf(pcap)}. See pcap-filter(7).");
        }

        int status = Libpcap.pcap_setfilter(pcap, &program);
        Libpcap.pcap_freecode(&program);
        if (status < 0)
        {
            throw new ConntrackException(ConntrackErrorReason.FilterInvalid, $"The filter '{filter}' cannot be set: {TextOf(pcap)}.");
        }
    }

    private static ConntrackException NotActivated(string name, int status, string text) => status switch
    {
        PCAP_ERROR_NO_SUCH_DEVICE => new ConntrackException(
            ConntrackErrorReason.InterfaceNotFound,
            $"There is no interface '{name}' in this network namespace. 'ip link' lists all interfaces; '{AnyInterface}' captures on all of them."),
        PCAP_ERROR_PERM_DENIED or PCAP_ERROR_PROMISC_PERM_DENIED => new ConntrackException(
            ConntrackErrorReason.PermissionDenied,
            $"Packets of '{name}' cannot be captured: the capability CAP_NET_RAW is missing. Run as root, or with sudo. " +
                "Reading a capture file requires no privileges."),
        PCAP_ERROR_IFACE_NOT_UP => Refused(name, "the interface is down; 'ip link set up' activates it"),
        _ => Refused(name, text.Length > 0 ? text : Marshal.PtrToStringUTF8(Libpcap.pcap_statustostr(status))!),
    };

    private static ConntrackException Refused(string name, string why) =>
        new(ConntrackErrorReason.InterfaceRefused, $"Packets of the interface '{name}' cannot be captured: {why}.");

    private static string TextOf(SafePcap pcap) => Marshal.PtrToStringUTF8(Libpcap.pcap_geterr(pcap)) ?? "";

    [UnmanagedCallersOnly]
    private static void OnPacket(byte* user, pcap_pkthdr* header, byte* data)
    {
        PacketSource source = (PacketSource)GCHandle.FromIntPtr((nint)user).Target!;
        if (source._batch.Count < source._batch.Capacity)
        {
            source._batch.Add(source.TicksOf(header->ts), header->len, new ReadOnlySpan<byte>(data, (int)Math.Min(header->caplen, PacketBatch.SnapLength)));
        }
    }

    // A file may claim any time: one out of .NET's range becomes the nearest in range.
    private long TicksOf(timeval time)
    {
        const long Last = 253402300799;
        long fraction = _hasNanoseconds ? time.tv_usec / TimeSpan.NanosecondsPerTick : Math.Clamp(time.tv_usec, 0, 999_999) * TimeSpan.TicksPerMicrosecond;
        return DateTime.UnixEpoch.Ticks + (Math.Clamp(time.tv_sec, 0, Last) * TimeSpan.TicksPerSecond) + Math.Clamp(fraction, 0, TimeSpan.TicksPerSecond - 1);
    }
}
