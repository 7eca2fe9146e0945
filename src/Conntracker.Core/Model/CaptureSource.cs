namespace Conntracker;

/// <summary>The source of a capture's flows.</summary>
public enum CaptureSource : byte
{
    /// <summary>The kernel's connection tracking: it knows which side began a connection, NAT, and the kernel's state of it.</summary>
    Conntrack = 0,

    /// <summary>Packets of an interface or of a capture file: for hosts without connection tracking, mirror ports, and files from elsewhere.</summary>
    Packet = 1,
}
