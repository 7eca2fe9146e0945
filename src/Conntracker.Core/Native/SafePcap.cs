using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>A handle of libpcap: a live capture or an open file. Used by one thread at a time.</summary>
internal sealed class SafePcap : SafeHandle
{
    /// <summary>Takes a handle into care.</summary>
    /// <param name="pcap">What pcap_create or pcap_open_offline returned; zero for none.</param>
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
