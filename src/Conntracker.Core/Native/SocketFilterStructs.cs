using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>struct sock_filter (linux/filter.h): one instruction of a socket filter.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct sock_filter
{
    public ushort code;
    public byte jt;
    public byte jf;
    public uint k;
}

/// <summary>struct sock_fprog (linux/filter.h): a socket filter.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct sock_fprog
{
    public ushort len;
    public sock_filter* filter;
}
