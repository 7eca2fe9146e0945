using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>struct sched_param (sched.h): a real-time priority.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct sched_param
{
    public int sched_priority;
}
