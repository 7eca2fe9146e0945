using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>struct cb_id (linux/connector.h): identifies a connector.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct cb_id
{
    public uint idx;
    public uint val;
}

/// <summary>struct cn_msg (linux/connector.h): the header of a connector message.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct cn_msg
{
    public cb_id id;
    public uint seq;
    public uint ack;
    public ushort len;
    public ushort flags;
}

/// <summary>struct proc_event (linux/cn_proc.h): a process event; the fields that all events share.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
internal struct proc_event
{
    [FieldOffset(0)]
    public uint what;

    [FieldOffset(4)]
    public uint cpu;

    [FieldOffset(8)]
    public ulong timestamp_ns;
}

/// <summary>struct fork_proc_event (linux/cn_proc.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct fork_proc_event
{
    public int parent_pid;
    public int parent_tgid;
    public int child_pid;
    public int child_tgid;
}

/// <summary>struct exec_proc_event (linux/cn_proc.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct exec_proc_event
{
    public int process_pid;
    public int process_tgid;
}

/// <summary>struct comm_proc_event (linux/cn_proc.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct comm_proc_event
{
    public int process_pid;
    public int process_tgid;
    public fixed byte comm[16];
}
