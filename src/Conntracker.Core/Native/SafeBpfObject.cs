using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>An object of libbpf: programs and maps. They stay in the kernel until it is closed and the last link to them is gone.</summary>
internal sealed class SafeBpfObject : SafeHandle
{
    /// <summary>Takes ownership of an object.</summary>
    /// <param name="bpfObject">The result of bpf_object__open_mem; zero for none.</param>
    public SafeBpfObject(nint bpfObject)
        : base(0, ownsHandle: true) => SetHandle(bpfObject);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libbpf.bpf_object__close(handle);
        return true;
    }
}
