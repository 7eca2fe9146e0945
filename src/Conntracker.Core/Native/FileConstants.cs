namespace Conntracker.Core.Native;

/// <summary>Constants of stdio.h that Tmds.LibC lacks, under their C names.</summary>
internal static class FileConstants
{
    public const uint RENAME_NOREPLACE = 1;
}
