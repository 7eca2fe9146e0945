namespace Conntracker;

/// <summary>Where a capture's flows come from.</summary>
public enum CaptureSource : byte
{
    /// <summary>The kernel's connection tracking: it knows who began a connection, NAT, and the kernel's state of it.</summary>
    Conntrack = 0,

    /// <summary>Packets of an interface or of a capture file: for hosts without connection tracking, mirror ports, and files from elsewhere.</summary>
    Packet = 1,
}
