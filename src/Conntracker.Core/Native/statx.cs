using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>struct statx of linux/stat.h: the fields that the engine reads, in a buffer of its full size.</summary>
[StructLayout(LayoutKind.Explicit, Size = 256)]
internal struct statx
{
    /// <summary>The owner.</summary>
    [FieldOffset(20)]
    public uint stx_uid;

    /// <summary>Type and permissions.</summary>
    [FieldOffset(28)]
    public ushort stx_mode;
}
