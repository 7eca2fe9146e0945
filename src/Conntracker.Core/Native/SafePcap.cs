using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>A handle of libpcap: a live capture or an open file. Used by one thread at a time.</summary>
internal sealed class SafePcap : SafeHandle
{
    /// <summary>Takes ownership of a handle.</summary>
    /// <param name="pcap">The result of pcap_create or pcap_open_offline; zero for none.</param>
    public SafePcap(nint pcap)
        : base(0, ownsHandle: true) => SetHandle(pcap);

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libpcap.pcap_close(handle);
        return true;
    }
}
