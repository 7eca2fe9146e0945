namespace Conntracker.Core.Native;

/// <summary>Constants of pcap/pcap.h and pcap/dlt.h, and of the headers of frames (linux/if_ether.h), under their C names.</summary>
internal static class PcapConstants
{
    public const int PCAP_ERRBUF_SIZE = 256;
    public const uint PCAP_NETMASK_UNKNOWN = 0xffffffff;
    public const int PCAP_TSTAMP_PRECISION_NANO = 1;
    public const int PCAP_ERROR_BREAK = -2;
    public const int PCAP_ERROR_NO_SUCH_DEVICE = -5;
    public const int PCAP_ERROR_PERM_DENIED = -8;
    public const int PCAP_ERROR_IFACE_NOT_UP = -9;
    public const int PCAP_ERROR_PROMISC_PERM_DENIED = -11;

    public const int DLT_NULL = 0;
    public const int DLT_EN10MB = 1;
    public const int DLT_RAW = 12;
    public const int DLT_LOOP = 108;
    public const int DLT_LINUX_SLL = 113;
    public const int DLT_IPV4 = 228;
    public const int DLT_IPV6 = 229;
    public const int DLT_LINUX_SLL2 = 276;

    public const int ETH_P_IP = 0x0800;
    public const int ETH_P_IPV6 = 0x86dd;
    public const int ETH_P_8021Q = 0x8100;
    public const int ETH_P_8021AD = 0x88a8;
    public const int ETH_P_QINQ1 = 0x9100;
    public const int ETH_P_PPP_SES = 0x8864;
}
