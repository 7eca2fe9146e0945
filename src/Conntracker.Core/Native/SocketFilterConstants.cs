namespace Conntracker.Core.Native;

/// <summary>The parts of a socket filter's instructions (linux/filter.h), under their C names.</summary>
internal static class SocketFilterConstants
{
    public const int BPF_LD = 0x00;
    public const int BPF_JMP = 0x05;
    public const int BPF_RET = 0x06;
    public const int BPF_H = 0x08;
    public const int BPF_B = 0x10;
    public const int BPF_ABS = 0x20;
    public const int BPF_JEQ = 0x10;
    public const int BPF_JSET = 0x40;
    public const int BPF_K = 0x00;
}
