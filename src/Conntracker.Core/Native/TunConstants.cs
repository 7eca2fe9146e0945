namespace Conntracker.Core.Native;

/// <summary>Constants of linux/if_tun.h, under their C names.</summary>
internal static class TunConstants
{
    public const int TUNSETIFF = 0x400454ca;
    public const int TUNSETLINK = 0x400454cd;
    public const int TUNSETIFINDEX = 0x400454da;
    public const int IFF_TUN = 1;
    public const int IFF_TAP = 2;
    public const int IFF_NO_PI = 0x1000;
}
