using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>
/// libpcap (pcap/pcap.h, man page pcap(3PCAP)): packets of interfaces and of capture files. Functions that return a number return a negative
/// one on failure; pcap_geterr has the text.
/// </summary>
internal static unsafe partial class Libpcap
{
    /// <summary>The shared object's name; see <see cref="s_names"/>.</summary>
    public const string Library = "libpcap";

    /// <summary>The Debian package that contains it.</summary>
    public const string Package = "libpcap0.8";

    // Debian kept the name of version 0.8, other distributions use the current one.
    private static readonly string[] s_names = ["libpcap.so.0.8", "libpcap.so.1"];

    static Libpcap() => NativeLibrary.SetDllImportResolver(typeof(Libpcap).Assembly, Resolve);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint pcap_create(string source, byte* errbuf);

    [LibraryImport(Library)]
    public static partial int pcap_set_snaplen(SafePcap p, int snaplen);

    [LibraryImport(Library)]
    public static partial int pcap_set_promisc(SafePcap p, int promisc);

    [LibraryImport(Library)]
    public static partial int pcap_set_timeout(SafePcap p, int to_ms);

    [LibraryImport(Library)]
    public static partial int pcap_set_buffer_size(SafePcap p, int buffer_size);

    [LibraryImport(Library)]
    public static partial int pcap_set_tstamp_precision(SafePcap p, int tstamp_precision);

    [LibraryImport(Library)]
    public static partial int pcap_get_tstamp_precision(SafePcap p);

    [LibraryImport(Library)]
    public static partial int pcap_activate(SafePcap p);

    [LibraryImport(Library)]
    public static partial int pcap_setnonblock(SafePcap p, int nonblock, byte* errbuf);

    [LibraryImport(Library)]
    public static partial int pcap_get_selectable_fd(SafePcap p);

    [LibraryImport(Library)]
    public static partial nint pcap_fopen_offline_with_tstamp_precision(nint fp, uint precision, byte* errbuf);

    [LibraryImport(Library)]
    public static partial int pcap_datalink(SafePcap p);

    [LibraryImport(Library)]
    public static partial nint pcap_datalink_val_to_name(int dlt);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int pcap_compile(SafePcap p, bpf_program* fp, string str, int optimize, uint netmask);

    [LibraryImport(Library)]
    public static partial int pcap_setfilter(SafePcap p, bpf_program* fp);

    [LibraryImport(Library)]
    public static partial void pcap_freecode(bpf_program* fp);

    [LibraryImport(Library)]
    public static partial int pcap_dispatch(SafePcap p, int cnt, delegate* unmanaged<byte*, pcap_pkthdr*, byte*, void> callback, byte* user);

    [LibraryImport(Library)]
    public static partial void pcap_breakloop(SafePcap p);

    [LibraryImport(Library)]
    public static partial int pcap_stats(SafePcap p, pcap_stat* ps);

    [LibraryImport(Library)]
    public static partial nint pcap_geterr(SafePcap p);

    [LibraryImport(Library)]
    public static partial nint pcap_statustostr(int error);

    [LibraryImport(Library)]
    public static partial void pcap_close(nint p);

    private static nint Resolve(string name, System.Reflection.Assembly assembly, DllImportSearchPath? path)
    {
        if (name == Library)
        {
            foreach (string each in s_names)
            {
                if (NativeLibrary.TryLoad(each, assembly, path, out nint library))
                {
                    return library;
                }
            }
        }

        // Another library, or not installed: the runtime searches by the name itself, and reports that it found nothing.
        return 0;
    }
}
