using Conntracker.Core.Native;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>Who may make cgroups in the directory of a cgroup, and with that choose their names.</summary>
internal static class CgroupOwner
{
    private const uint Root = 0;

    /// <summary>Whether only root may; false when the directory is not there, or cannot be looked at.</summary>
    public static unsafe bool IsRoot(string directory)
    {
        using CString name = new(directory, stackalloc byte[CString.BufferSize]);
        uint needed = STATX_UID | STATX_MODE;
        statx status;
        return LibC.statx(AT_FDCWD, name.Pointer, AT_SYMLINK_NOFOLLOW, needed, &status) == 0
            && (status.stx_mask & needed) == needed
            && status.stx_uid == Root
            && (status.stx_mode & (S_IWGRP | S_IWOTH)) == 0;
    }
}
