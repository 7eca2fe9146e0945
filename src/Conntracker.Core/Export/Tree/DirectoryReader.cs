using System.Runtime.InteropServices;
using Conntracker.Core.Export.Files;
using Conntracker.Core.Native;
using Microsoft.Win32.SafeHandles;

namespace Conntracker.Core.Export.Tree;

/// <summary>Lists the names in an open directory, even if its path has changed, without an object for each.</summary>
internal static unsafe class DirectoryReader
{
    private const int BufferSize = 64 * 1024;

    /// <summary>Receives a name; returns false to stop.</summary>
    /// <param name="name">The name's bytes.</param>
    public delegate bool Found(ReadOnlySpan<byte> name);

    /// <summary>Lists the names in no particular order, without <c>.</c> and <c>..</c>; once per opened handle.</summary>
    /// <param name="directory">The directory.</param>
    /// <param name="path">Its path, for errors.</param>
    /// <param name="found">Called with each name.</param>
    /// <exception cref="LogFileException">It cannot be read.</exception>
    public static void List(SafeFileHandle directory, string path, Found found)
    {
        byte* buffer = (byte*)NativeMemory.Alloc(BufferSize);
        try
        {
            while (true)
            {
                nint length = SafeLibC.getdents64(directory, buffer, BufferSize);
                if (length < 0)
                {
                    throw LogFileErrors.FromTree(path, "reading the directory", Errno.Last);
                }

                if (length == 0)
                {
                    return;
                }

                for (nint at = 0; at < length; at += ((dirent64*)(buffer + at))->d_reclen)
                {
                    ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(((dirent64*)(buffer + at))->d_name);
                    if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8) && !found(name))
                    {
                        return;
                    }
                }
            }
        }
        finally
        {
            NativeMemory.Free(buffer);
        }
    }
}
