namespace Conntracker.Core.Native;

/// <summary>Constants of linux/sock_diag.h and linux/inet_diag.h, under their C names.</summary>
internal static class SocketDiagConstants
{
    public const int SOCK_DIAG_BY_FAMILY = 20;
    public const uint INET_DIAG_NOCOOKIE = uint.MaxValue;
}
