namespace Conntracker.Core.Native;

/// <summary>Constants of linux/netfilter/nfnetlink_log.h and of the hooks of linux/netfilter.h, under their C names.</summary>
internal static class NflogConstants
{
    public const int NFNL_SUBSYS_ULOG = 4;

    public const int NFULNL_MSG_PACKET = 0;
    public const int NFULNL_MSG_CONFIG = 1;

    public const int NFULA_PACKET_HDR = 1;
    public const int NFULA_PAYLOAD = 9;
    public const int NFULA_PREFIX = 10;
    public const int NFULA_SEQ = 12;

    public const int NFULA_CFG_CMD = 1;
    public const int NFULA_CFG_MODE = 2;
    public const int NFULA_CFG_TIMEOUT = 4;
    public const int NFULA_CFG_FLAGS = 6;

    public const byte NFULNL_CFG_CMD_BIND = 1;
    public const byte NFULNL_COPY_PACKET = 2;
    public const int NFULNL_CFG_F_SEQ = 1;

    public const byte NF_INET_PRE_ROUTING = 0;
    public const byte NF_INET_LOCAL_IN = 1;
    public const byte NF_INET_FORWARD = 2;
    public const byte NF_INET_LOCAL_OUT = 3;
    public const byte NF_INET_POST_ROUTING = 4;
}
