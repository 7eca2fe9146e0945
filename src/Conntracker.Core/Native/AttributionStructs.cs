using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>struct socket_owner (src/Conntracker.Bpf/attribution.h): the process that uses a socket.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct socket_owner
{
    public ulong time;
    public ulong netns;
    public ulong cgroup;
    public uint pid;
    public uint tid;
    public uint uid;
    public fixed byte name[16];
    public uint reserved;
}

/// <summary>struct socket_record (src/Conntracker.Bpf/attribution.h): a socket's owner, and the tuple of a packet. Ports are big-endian.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct socket_record
{
    public socket_owner owner;
    public fixed byte src[16];
    public fixed byte dst[16];
    public ushort sport;
    public ushort dport;
    public byte family;
    public byte protocol;
    public byte outgoing;
    public byte reserved;
}
