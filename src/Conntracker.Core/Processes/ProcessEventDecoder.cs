using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.ConnectorConstants;

namespace Conntracker.Core.Processes;

/// <summary>Decodes the messages of the proc connector. Events of a single thread of a process are ignored.</summary>
internal static class ProcessEventDecoder
{
    /// <summary>The offset of the union of all events, behind the fields that they share.</summary>
    public const int DataOffset = 16;

    /// <summary>Decodes one message.</summary>
    public static DecodeResult Decode(in NetlinkMessage message, out ProcessEvent decoded)
    {
        decoded = default;
        ReadOnlySpan<byte> payload = message.Payload;
        if (payload.Length < Unsafe.SizeOf<cn_msg>())
        {
            return DecodeResult.Malformed;
        }

        cn_msg header = MemoryMarshal.Read<cn_msg>(payload);
        payload = payload[Unsafe.SizeOf<cn_msg>()..];
        if (header.id.idx != CN_IDX_PROC || header.id.val != CN_VAL_PROC)
        {
            return DecodeResult.Ignored;
        }

        if (payload.Length < Unsafe.SizeOf<proc_event>())
        {
            return DecodeResult.Malformed;
        }

        proc_event happened = MemoryMarshal.Read<proc_event>(payload);
        decoded.Time = happened.timestamp_ns;
        return happened.what switch
        {
            PROC_EVENT_FORK => DecodeFork(MemoryMarshal.Read<fork_proc_event>(payload[DataOffset..]), ref decoded),
            PROC_EVENT_EXEC => DecodeExec(MemoryMarshal.Read<exec_proc_event>(payload[DataOffset..]), ref decoded),
            PROC_EVENT_COMM => DecodeRename(MemoryMarshal.Read<comm_proc_event>(payload[DataOffset..]), ref decoded),
            _ => DecodeResult.Ignored,
        };
    }

    private static DecodeResult DecodeFork(fork_proc_event fork, ref ProcessEvent decoded)
    {
        decoded.Kind = ProcessEventKind.Fork;
        decoded.Process = fork.child_tgid;
        decoded.Parent = fork.parent_tgid;
        return fork.child_pid == fork.child_tgid ? DecodeResult.Decoded : DecodeResult.Ignored;
    }

    private static DecodeResult DecodeExec(exec_proc_event exec, ref ProcessEvent decoded)
    {
        decoded.Kind = ProcessEventKind.Exec;
        decoded.Process = exec.process_tgid;
        return DecodeResult.Decoded;
    }

    private static unsafe DecodeResult DecodeRename(comm_proc_event rename, ref ProcessEvent decoded)
    {
        decoded.Kind = ProcessEventKind.Rename;
        decoded.Process = rename.process_tgid;
        decoded.Name = ProcessText.Name(new ReadOnlySpan<byte>(rename.comm, 16));
        return rename.process_pid == rename.process_tgid ? DecodeResult.Decoded : DecodeResult.Ignored;
    }
}
