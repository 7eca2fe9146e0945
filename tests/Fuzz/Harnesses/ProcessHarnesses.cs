using System.Runtime.InteropServices;
using System.Text;
using Conntracker.Core.Conntrack;
using Conntracker.Core.Flows;
using Conntracker.Core.KernelSettings;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Processes;
using Conntracker.Core.Tracing;

namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>Processes: records of the eBPF programs, events of the proc connector, frames of recordings, texts below /proc.</summary>
internal static class ProcessHarnesses
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string Mounts =
        "31 24 0:27 / /cgroup rw - cgroup2 cgroup2 rw\n32 24 0:28 / /systemd rw - cgroup cgroup rw,name=systemd\n"
        + "33 24 0:29 / /memory rw - cgroup none rw,memory\n";

    private static readonly CgroupMounts s_cgroups = new((Mounts, ""));

    private static readonly string[] s_texts =
    [
        Mounts,
        $"9:name=systemd:/system.slice/docker.service\n4:memory:/docker/{Id}\n0::/\n",
        $"0::/system.slice/docker-{Id}.scope\n",
        "0::/lxc.payload.web1/system.slice/nginx.service\n",
        "1234 (a) b (c) S 1 1234 1234 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 98765 1 2 3 4 5 140721 6\n",
        "curl\0-s\0https://example.org\0",
        "1000\n",
        "Name:\tx\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nGid:\t4\t5\t6\t7\n",
        "MemTotal:       16384000 kB\nMemFree: 1 kB\n",
        "entries  searched drop early_drop\n00000001 00000002 000000ff 0000001a\n00000001 00000002 00000000 00000001\n",
        "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
            + "0000000000000000 12  1234       00000000 0        0        0     2        77       12345\n",
    ];

    public static IEnumerable<Harness> All()
    {
        const int ConnectorHeader = 20;
        byte[][] events = [Event(1, 4, 5, 6, 6), Event(2, 7, 7), Event(0x200, 8, 8, 0x6c727563), Event(0x80000000, 9, 9)];
        yield return new Harness("process-event", events, new NetlinkMutator(ConnectorHeader), ProcessEvents);
        yield return new Harness("socket-record", [Record(2), Record(10)], new ByteMutator(), SocketRecord);
        yield return new Harness("socket-owner", [.. Owners()], new ByteMutator(), Owner);
        yield return new Harness("process-report", [.. Reports()], new ByteMutator(), Report);
        string[] words = [":", "/", ".scope", "docker-", Id, "0::", "name=systemd", "lxc/", ")", " ", "\n", "\0", "-1", "18446744073709551615", "MemTotal:"];
        ByteMutator mutator = new([.. words.Select(Encoding.ASCII.GetBytes)]);
        yield return new Harness("proc-text", [.. s_texts.Select(Encoding.UTF8.GetBytes)], mutator, ProcText);
    }

    /// <summary>Frames of processes.</summary>
    public static IEnumerable<byte[]> Reports()
    {
        FlowProcess[] processes =
        [
            new() { Id = 1, Name = "systemd" },
            new()
            {
                Id = 1234, Name = "curl", CommandLine = "curl -s", Path = "/usr/bin/curl", UserId = 1000, UserName = "user",
                Cgroup = "/a/b", Unit = "b.service", Container = Id,
            },
        ];
        byte[] frame = new byte[ProcessReport.MaximumMessageLength];
        for (int i = 0; i < processes.Length; i++)
        {
            int length = new ProcessReport(i + 1, SocketScope.Here, processes[i]) { Namespace = 1 }.Write(frame);
            yield return frame[..length];
        }
    }

    /// <summary>Frames of their sockets.</summary>
    public static IEnumerable<byte[]> Owners()
    {
        for (int i = 0; i < 4; i++)
        {
            SocketOwner owner = new() { Process = 1 + (i % 2), IsOutgoing = i < 2, Scope = (SocketScope)i };
            owner.Key.Family = i % 2 == 0 ? FlowFamily.IPv4 : FlowFamily.IPv6;
            owner.Key.Protocol = FlowProtocol.Tcp;
            owner.Key.Original.SrcPort = 40000;
            owner.Key.Original.DstPort = 443;
            byte[] frame = new byte[SocketOwner.FrameLength];
            owner.Write(frame);
            yield return frame;
        }
    }

    private static void ProcessEvents(ReadOnlySpan<byte> datagram)
    {
        NetlinkMessageReader messages = new(datagram);
        while (messages.TryRead(out NetlinkMessage message))
        {
            ProcessEventDecoder.Decode(in message, out _);
        }
    }

    private static void SocketRecord(ReadOnlySpan<byte> input)
    {
        // The ring's reader gives whole records only.
        socket_record record = default;
        input[..Math.Min(input.Length, Marshal.SizeOf<socket_record>())].CopyTo(MemoryMarshal.AsBytes(new Span<socket_record>(ref record)));
        SocketRecordDecoder.NameOf(ref record.owner);
        SocketRecordDecoder.RawNameOf(ref record.owner);
        if (SocketRecordDecoder.TryReadKey(ref record, out FlowKey key))
        {
            byte[] frame = new byte[SocketOwner.FrameLength];
            new SocketOwner { Key = key }.Write(frame);
            DecodeResult result = SocketOwner.Decode(frame, out SocketOwner again);
            Must.Be(result == DecodeResult.Decoded && FlowKey.AreEqual(in again.Key, in key), "A tuple is recorded as it is.");
        }
    }

    private static void Owner(ReadOnlySpan<byte> input)
    {
        if (SocketOwner.Decode(input, out SocketOwner owner) == DecodeResult.Decoded)
        {
            Span<byte> again = stackalloc byte[SocketOwner.FrameLength];
            owner.Write(again);
            Must.Be(SocketOwner.Decode(again, out _) == DecodeResult.Decoded, "What was read can be written.");
        }
    }

    private static void Report(ReadOnlySpan<byte> input)
    {
        if (ProcessReport.Decode(input, out ProcessReport report) == DecodeResult.Decoded)
        {
            byte[] again = new byte[ProcessReport.MaximumMessageLength];
            int length = report.Write(again);
            DecodeResult result = ProcessReport.Decode(again.AsSpan(0, length), out ProcessReport second);
            Must.Be(result == DecodeResult.Decoded && second.Number == report.Number, "What was read can be written.");
        }
    }

    private static void ProcText(ReadOnlySpan<byte> input)
    {
        CgroupText.Parse(input, s_cgroups, directory => directory.Length % 2 == 0);
        _ = new CgroupMounts((Encoding.UTF8.GetString(input), ""));
        _ = ProcessStat.TryParse(input, out _);
        ProcessText.NameLine(input);
        ProcessText.CommandLine(input);
        ProcessText.LoginUser(input);
        ProcessText.RealUser(input);
        string text = Encoding.UTF8.GetString(input);
        string[] lines = text.Split('\n');
        ProcessIdentity.StartIn(text);
        TraceCapacity.Of(text);
        TrackingReader.Sum(lines);
        NetlinkSocketDrops.Find(lines, 12, 1234);
    }

    // struct nlmsghdr, struct cn_msg of the connector of processes, struct proc_event.
    private static byte[] Event(uint what, params int[] data)
    {
        byte[] happened = new byte[40];
        BitConverter.TryWriteBytes(happened, what);
        Buffer.BlockCopy(data, 0, happened, ProcessEventDecoder.DataOffset, data.Length * sizeof(int));
        byte[] connector = new byte[20];
        BitConverter.TryWriteBytes(connector, ConnectorConstants.CN_IDX_PROC);
        BitConverter.TryWriteBytes(connector.AsSpan(4), ConnectorConstants.CN_VAL_PROC);
        BitConverter.TryWriteBytes(connector.AsSpan(16), (ushort)happened.Length);
        byte[] message = [.. new byte[16], .. connector, .. happened];
        BitConverter.TryWriteBytes(message, message.Length);
        message[4] = 3;
        return message;
    }

    private static byte[] Record(byte family)
    {
        socket_record record = default;
        record.family = family;
        record.protocol = 6;
        record.owner.pid = 1234;
        byte[] bytes = MemoryMarshal.AsBytes(new Span<socket_record>(ref record)).ToArray();
        "curl"u8.CopyTo(bytes.AsSpan((int)Marshal.OffsetOf<socket_owner>(nameof(socket_owner.name))));
        return bytes;
    }
}
