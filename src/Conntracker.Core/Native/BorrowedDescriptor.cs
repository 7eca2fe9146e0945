using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>The number of a handle's descriptor for the time of a call: until it is disposed, nobody else's dispose closes the descriptor.</summary>
internal readonly ref struct BorrowedDescriptor
{
    private readonly SafeHandle _handle;

    /// <summary>Borrows it.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public BorrowedDescriptor(SafeHandle handle)
    {
        bool isAdded = false;
        handle.DangerousAddRef(ref isAdded);
        _handle = handle;
    }

    /// <summary>The number.</summary>
    public int Number => (int)_handle.DangerousGetHandle();

    /// <summary>Gives it back. The error number of the call stays what it is.</summary>
    public void Dispose()
    {
        // The last one to give it back closes the descriptor, when somebody else has disposed the handle.
        int errno = Marshal.GetLastPInvokeError();
        _handle.DangerousRelease();
        Marshal.SetLastPInvokeError(errno);
    }
}
