using System.Runtime.InteropServices.Marshalling;

namespace Conntracker.Core.Native;

/// <summary>A string as C takes it: UTF-8 with a zero byte at the end. Short ones are stored in a buffer of the caller.</summary>
internal unsafe ref struct CString
{
    /// <summary>The size of the caller's buffer, in bytes.</summary>
    public const int BufferSize = 0x100;

    private Utf8StringMarshaller.ManagedToUnmanagedIn _text;

    /// <summary>Converts a string.</summary>
    /// <param name="text">The string.</param>
    /// <param name="buffer">Memory on the stack: it must not move.</param>
    public CString(string text, Span<byte> buffer) => _text.FromManaged(text, buffer);

    /// <summary>The string's address.</summary>
    public readonly byte* Pointer => _text.ToUnmanaged();

    /// <summary>Frees the memory of a long string.</summary>
    public readonly void Dispose() => _text.Free();
}
