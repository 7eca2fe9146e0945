using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>struct dirent64 of dirent.h: an entry of a directory from getdents64(2): <see cref="d_reclen"/> bytes, the name ends with a zero byte.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct dirent64
{
    /// <summary>The inode.</summary>
    public ulong d_ino;

    /// <summary>The position of the next entry.</summary>
    public long d_off;

    /// <summary>The entry's length.</summary>
    public ushort d_reclen;

    /// <summary>The file's type (DT_*).</summary>
    public byte d_type;

    /// <summary>The name.</summary>
    public fixed byte d_name[256];
}
