using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>
/// A libnftables context. Its netlink socket belongs to the network namespace of the thread that created it, and a table with
/// <c>flags owner</c> lives exactly as long as that socket.
/// </summary>
internal sealed class SafeNftContext : SafeHandle
{
    /// <summary>Takes ownership of a context.</summary>
    /// <param name="context">The result of nft_ctx_new; zero for none.</param>
    public SafeNftContext(nint context)
        : base(0, ownsHandle: true) => SetHandle(context);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libnftables.nft_ctx_free(handle);
        return true;
    }
}
