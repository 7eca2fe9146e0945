namespace Conntracker.Core.Native;

/// <summary>Constants of linux/connector.h and linux/cn_proc.h, under their C names.</summary>
internal static class ConnectorConstants
{
    public const uint CN_IDX_PROC = 1;
    public const uint CN_VAL_PROC = 1;
    public const uint PROC_CN_MCAST_LISTEN = 1;
    public const uint PROC_CN_MCAST_IGNORE = 2;
    public const uint PROC_EVENT_FORK = 1;
    public const uint PROC_EVENT_EXEC = 2;
    public const uint PROC_EVENT_COMM = 0x200;
}
