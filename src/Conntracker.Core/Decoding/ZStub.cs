using Conntracker.Core.Netlink;
namespace Conntracker.Core.Decoding;
internal ref struct IptablesTraceLine { public FlowFamily Family; public byte Hook; public ReadOnlySpan<byte> Table, Chain; public TraceStepType Type; public int Position; public PacketTuple Packet; public bool HasPacket; }
internal static class NflogDecoder { public static DecodeResult Decode(in NetlinkMessage m, out IptablesTraceLine line, out uint seq) { line = default; seq = 0; return DecodeResult.Ignored; } }
internal static class KernelLogDecoder { public static DecodeResult Decode(ReadOnlySpan<byte> t, out IptablesTraceLine line) { line = default; return DecodeResult.Ignored; } }
