using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>Reads the tuple from a record of the eBPF programs.</summary>
internal static unsafe class SocketRecordDecoder
{
    /// <summary>The tuple in zone 0; false when the record has none.</summary>
    public static bool TryReadKey(ref readonly socket_record record, out FlowKey key)
    {
        key = default;
        key.Family = record.family == AF_INET ? FlowFamily.IPv4
            : record.family == AF_INET6 ? FlowFamily.IPv6
            : FlowFamily.None;
        int length = key.Family == FlowFamily.IPv4 ? 4 : 16;
        fixed (socket_record* fixedRecord = &record)
        {
            key.Original.Src = AddressBits.Read(new ReadOnlySpan<byte>(fixedRecord->src, length));
            key.Original.Dst = AddressBits.Read(new ReadOnlySpan<byte>(fixedRecord->dst, length));
        }

        key.Protocol = (FlowProtocol)record.protocol;
        key.Original.SrcPort = BinaryPrimitives.ReverseEndianness(record.sport);
        key.Original.DstPort = BinaryPrimitives.ReverseEndianness(record.dport);
        return key.Family != FlowFamily.None;
    }

    /// <summary>The name of the thread that used the socket; null when there is none.</summary>
    public static string? NameOf(ref readonly socket_owner owner) => owner.name[0] == 0 ? null : ProcessText.Name(RawName(in owner));

    /// <summary>The 16 bytes of that name, for comparisons.</summary>
    public static UInt128 RawNameOf(ref readonly socket_owner owner) => MemoryMarshal.Read<UInt128>(RawName(in owner));

    private static ReadOnlySpan<byte> RawName(ref readonly socket_owner owner) => MemoryMarshal.CreateReadOnlySpan(in owner.name[0], 16);
}
