using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Conntracker.Core.Native;

/// <summary>A file descriptor that is closed exactly once, and not while a call uses it.</summary>
internal sealed class SafeFileDescriptor : SafeHandle
{
    /// <summary>Takes ownership of a descriptor.</summary>
    /// <param name="descriptor">The descriptor; -1 for none.</param>
    public SafeFileDescriptor(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == -1;

    /// <summary>The number, for poll(2), which takes no handle. The caller keeps this object alive while it waits.</summary>
    public int Number => (int)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => LibC.close((int)handle) == 0;
}
