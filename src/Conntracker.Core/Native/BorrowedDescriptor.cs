using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>The descriptor of a handle during a call: until this is disposed, disposing the handle elsewhere does not close the descriptor.</summary>
internal readonly ref struct BorrowedDescriptor
{
    private readonly SafeHandle _handle;

    /// <summary>Adds a reference to the handle.</summary>
    /// <exception cref="ObjectDisposedException">The handle is closed.</exception>
    public BorrowedDescriptor(SafeHandle handle)
    {
        bool isAdded = false;
        handle.DangerousAddRef(ref isAdded);
        _handle = handle;
    }

    /// <summary>The descriptor's number.</summary>
    public int Number => (int)_handle.DangerousGetHandle();

    /// <summary>Releases the reference. The call's error number stays unchanged.</summary>
    public void Dispose()
    {
        // If the handle was disposed elsewhere, releasing the last reference closes the descriptor.
        int errno = Marshal.GetLastPInvokeError();
        _handle.DangerousRelease();
        Marshal.SetLastPInvokeError(errno);
    }
}
