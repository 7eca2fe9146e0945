using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>The time and lengths of a packet (pcap/pcap.h, with the struct timeval of sys/time.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct pcap_pkthdr
{
    public timeval ts;
    public uint caplen;
    public uint len;
}

/// <summary>Seconds since 1970 and microseconds; nanoseconds if libpcap was set to them.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct timeval
{
    public nint tv_sec;
    public nint tv_usec;
}

/// <summary>The packets that a live capture has seen and dropped since it began.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct pcap_stat
{
    public uint ps_recv;
    public uint ps_drop;
    public uint ps_ifdrop;
}

/// <summary>A compiled filter (pcap/bpf.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct bpf_program
{
    public uint bf_len;
    public nint bf_insns;
}
