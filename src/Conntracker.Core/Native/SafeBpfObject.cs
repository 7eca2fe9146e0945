using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>An object of libbpf: programs and maps. They live in the kernel until it is closed and no link holds them any more.</summary>
internal sealed class SafeBpfObject : SafeHandle
{
    /// <summary>Takes an object into care.</summary>
    /// <param name="bpfObject">What bpf_object__open_mem returned; zero for none.</param>
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
