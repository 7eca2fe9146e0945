namespace Conntracker.Core.Native;

/// <summary>Constants of sys/resource.h that Tmds.LibC lacks, under their C names.</summary>
internal static class PriorityConstants
{
    public const int PRIO_PROCESS = 0;
    public const int PRIO_MIN = -20;
}
