using System.Runtime.InteropServices;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Flows;

/// <summary>
/// The two ends of one direction: 36 bytes. ICMP has no ports: <see cref="SrcPort"/> then holds the query's id, and
/// <see cref="DstPort"/> the type (high byte) and the code. GRE holds its keys there.
/// </summary>
[StructLayout(LayoutKind.Sequential, Pack = 4)]
internal struct FlowEndpoints
{
    /// <summary>The sender's address.</summary>
    public AddressBits Src;

    /// <summary>The receiver's address.</summary>
    public AddressBits Dst;

    /// <summary>The sender's port.</summary>
    public ushort SrcPort;

    /// <summary>The receiver's port.</summary>
    public ushort DstPort;

    /// <summary>Of ICMP: the type.</summary>
    public byte IcmpType
    {
        readonly get => (byte)(DstPort >> 8);
        set => DstPort = IcmpPort(value, IcmpCode);
    }

    /// <summary>Of ICMP: the code.</summary>
    public byte IcmpCode
    {
        readonly get => (byte)DstPort;
        set => DstPort = IcmpPort(IcmpType, value);
    }

    /// <summary>The type and code of ICMP in the place of <see cref="DstPort"/>.</summary>
    public static ushort IcmpPort(byte type, byte code) => (ushort)((type << 8) | code);
}
