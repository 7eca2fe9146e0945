namespace Conntracker.Core.Native;

/// <summary>Constants of sched.h and sys/resource.h, under their C names.</summary>
internal static class SchedulerConstants
{
    public const int SCHED_RR = 2;
    public const int PRIO_PROCESS = 0;
    public const int PRIO_MIN = -20;
}
