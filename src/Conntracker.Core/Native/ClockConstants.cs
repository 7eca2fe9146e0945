namespace Conntracker.Core.Native;

/// <summary>Constants of time.h that Tmds.LibC lacks, under their C names.</summary>
internal static class ClockConstants
{
    public const int CLOCK_BOOTTIME = 7;
}
