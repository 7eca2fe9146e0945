namespace Conntracker.Core.Native;

/// <summary>Constants of files, under their C names (x86-64 and arm64 agree on all but O_DIRECTORY and O_NOFOLLOW).</summary>
internal static class FileConstants
{
    public const int O_RDONLY = 0;
    public const int O_WRONLY = 1;
    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_NONBLOCK = 0x800;
    public const int O_CLOEXEC = 0x80000;
    public const int O_PATH = 0x200000;
    public const int F_SETFD = 2;
    public const int FD_CLOEXEC = 1;
    public const int SEEK_END = 2;
    public const int AT_SYMLINK_NOFOLLOW = 0x100;
    public const int AT_SYMLINK_FOLLOW = 0x400;
    public const int AT_EMPTY_PATH = 0x1000;
    public const uint RENAME_NOREPLACE = 1;
    public const uint STATX_TYPE = 1;
    public const uint STATX_UID = 8;
    public const int S_IFMT = 0xF000;
    public const int S_IFDIR = 0x4000;
    public const int S_IFREG = 0x8000;
    public const int S_IFLNK = 0xA000;
    public const uint SYNC_FILE_RANGE_WRITE = 2;
    public const uint S_IRUSR = 0x100;
    public const uint S_IWUSR = 0x80;
    public const uint S_IRWXU = 0x1C0;

    /// <summary>asm-generic has another value for it than Arm.</summary>
    public static int O_DIRECTORY => IsArm ? 0x4000 : 0x10000;

    /// <summary>asm-generic has another value for it than Arm.</summary>
    public static int O_NOFOLLOW => IsArm ? 0x8000 : 0x20000;

    /// <summary>It contains O_DIRECTORY.</summary>
    public static int O_TMPFILE => 0x400000 | O_DIRECTORY;

    private static bool IsArm => System.Runtime.InteropServices.RuntimeInformation.ProcessArchitecture
        is System.Runtime.InteropServices.Architecture.Arm64 or System.Runtime.InteropServices.Architecture.Arm;
}
