using System.Text;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Conntracker.Core.Processes;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What /proc, the proc connector and the frames of processes tell, also when they are cut off or damaged.</summary>
public class ProcessDecodingTests
{
    private const string RealName = "nobody";
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    [Fact]
    public void A_command_line_is_shown_with_spaces_and_a_process_that_has_ended_has_none()
    {
        Assert.Equal("curl -s https://example.org", ProcessText.CommandLine("curl\0-s\0https://example.org\0"u8));
        Assert.Null(ProcessText.CommandLine(""u8));
    }

    [Fact]
    public void A_hostile_name_is_kept_exactly() => Assert.Equal("a\n(b),c\u001b[2J", ProcessText.NameLine("a\n(b),c\u001b[2J\n"u8));

    [Theory]
    [InlineData("1000", 1000u)]
    [InlineData("0\n", 0u)]
    [InlineData("4294967295", null)]
    [InlineData("", null)]
    public void Nobody_has_logged_in_where_the_audit_id_is_not_set(string file, uint? user) =>
        Assert.Equal(user, ProcessText.LoginUser(Encoding.UTF8.GetBytes(file)));

    [Fact]
    public void A_process_comes_out_of_its_frame_as_it_went_in()
    {
        FlowProcess process = new()
        {
            Id = 4711,
            Name = "näme,(x)",
            CommandLine = "a b",
            Path = "/bin/x",
            UserId = 0,
            RealUserId = 65534,
            RealUserName = "nöbody",
            Cgroup = "/",
            Container = Id,
            Source = ProcessSource.Diag,
        };
        byte[] frame = Frame(process);
        Assert.Equal(DecodeResult.Decoded, ProcessReport.Decode(frame, out ProcessReport read));
        Assert.Equivalent(process, read.Process, strict: true);
        Assert.Equal(9, read.Number);
        Assert.Equal(4711ul, read.Namespace);
        Assert.Equal(SocketScope.Elsewhere, read.Scope);
    }

    [Fact]
    public void Frames_of_earlier_versions_lack_the_real_user_and_before_that_the_namespace()
    {
        byte[] frame = Frame(new FlowProcess { Id = 1, Name = "name", UserId = 1000, UserName = "alice", RealUserId = 65534, RealUserName = RealName });
        foreach ((int length, ulong space) in EarlierLengths(frame).Zip((ulong[])[0, 4711]))
        {
            Assert.Equal(DecodeResult.Decoded, ProcessReport.Decode(frame.AsSpan(0, length), out ProcessReport read));
            Assert.Equal(("name", 1000u, "alice"), (read.Process.Name, read.Process.UserId, read.Process.UserName));
            Assert.Equal((space, null, null), (read.Namespace, read.Process.RealUserId, read.Process.RealUserName));
        }
    }

    [Fact]
    public void What_a_later_version_adds_to_a_frame_is_skipped()
    {
        byte[] frame = Frame(new FlowProcess { Id = 1, Name = "name", RealUserId = 65534, RealUserName = RealName });
        Assert.Equal(DecodeResult.Decoded, ProcessReport.Decode([.. frame, 1, 2, 3], out ProcessReport read));
        Assert.Equal((65534u, RealName), (read.Process.RealUserId, read.Process.RealUserName));
    }

    [Theory]
    [InlineData("Name:\tx\nUmask:\t0022\nUid:\t1000\t0\t0\t0\nGid:\t4\t5\t6\t7\n", 1000u)]
    [InlineData("Name:\tx\\nUid:\\t7\nUid:\t0\t65534\t65534\t65534\n", 0u)]
    [InlineData("Name:\tx\nUid:\t100", null)]
    [InlineData("Name:\tx\nUid:\t\t1\n", null)]
    [InlineData("", null)]
    public void The_real_user_is_the_first_of_its_line(string file, uint? user) => Assert.Equal(user, ProcessText.RealUser(Encoding.UTF8.GetBytes(file)));

    [Fact]
    public void A_command_line_of_any_length_fits_its_frame()
    {
        byte[] frame = Frame(new FlowProcess { Id = 1, Name = "x", CommandLine = new string('ä', 200_000) });
        Assert.Equal(DecodeResult.Decoded, ProcessReport.Decode(frame, out ProcessReport read));
        Assert.Equal(30_000, read.Process.CommandLine!.Length);
    }

    [Fact]
    public void Frames_that_are_cut_off_or_changed_never_throw()
    {
        byte[] frame = Frame(new FlowProcess { Id = 1, Name = "name", CommandLine = "command", Path = "/path", RealUserId = 65534, RealUserName = RealName });
        for (int length = 0; length < frame.Length; length++)
        {
            DecodeResult expected = EarlierLengths(frame).Contains(length) ? DecodeResult.Decoded : DecodeResult.Malformed;
            Assert.Equal(expected, ProcessReport.Decode(frame.AsSpan(0, length), out _));
            SocketOwner.Decode(frame.AsSpan(0, length), out _);
        }

        Random random = new(4711);
        for (int round = 0; round < 20_000; round++)
        {
            byte[] changed = [.. frame];
            random.NextBytes(changed.AsSpan(random.Next(changed.Length), 1));
            ProcessReport.Decode(changed, out _);
            SocketOwner.Decode(changed.AsSpan(0, Math.Min(changed.Length, SocketOwner.FrameLength)), out _);
        }
    }

    [Fact]
    public void A_fork_tells_child_and_parent_and_a_new_thread_tells_nothing()
    {
        fork_proc_event fork = new() { parent_pid = 12, parent_tgid = 10, child_pid = 20, child_tgid = 20 };
        Assert.Equal(DecodeResult.Decoded, Decode(ConnectorConstants.PROC_EVENT_FORK, fork, out ProcessEvent happened));
        Assert.Equal((ProcessEventKind.Fork, 20, 10, 77ul), (happened.Kind, happened.Process, happened.Parent, happened.Time));
        Assert.Equal(DecodeResult.Ignored, Decode(ConnectorConstants.PROC_EVENT_FORK, fork with { child_pid = 21 }, out _));
    }

    [Fact]
    public void Events_of_processes_that_are_cut_off_never_throw()
    {
        byte[] datagram = Datagram(ConnectorConstants.PROC_EVENT_EXEC, new exec_proc_event { process_pid = 5, process_tgid = 5 });
        int header = 16;
        for (int length = header; length <= datagram.Length; length++)
        {
            NetlinkMessage message = new(NetlinkConstants.NLMSG_DONE, 0, 0, datagram.AsSpan(header, length - header));
            DecodeResult result = ProcessEventDecoder.Decode(in message, out _);
            Assert.Equal(length == datagram.Length ? DecodeResult.Decoded : DecodeResult.Malformed, result);
        }
    }

    // Before the network namespace, and before the real user.
    private static int[] EarlierLengths(byte[] frame)
    {
        int withNamespace = frame.Length - RealName.Length - sizeof(ushort) - sizeof(uint);
        return [withNamespace - sizeof(ulong), withNamespace];
    }

    private static byte[] Frame(FlowProcess process)
    {
        byte[] frame = new byte[ProcessReport.MaximumMessageLength];
        return frame[..new ProcessReport(9, SocketScope.Elsewhere, process) { Namespace = 4711 }.Write(frame)];
    }

    private static DecodeResult Decode<T>(uint what, T data, out ProcessEvent happened)
        where T : unmanaged
    {
        NetlinkMessageReader messages = new(Datagram(what, data));
        Assert.True(messages.TryRead(out NetlinkMessage message));
        return ProcessEventDecoder.Decode(in message, out happened);
    }

    private static unsafe byte[] Datagram<T>(uint what, T data)
        where T : unmanaged
    {
        byte[] datagram = new byte[76];
        NetlinkWriter writer = new(datagram);
        writer.BeginMessage(NetlinkConstants.NLMSG_DONE, 0, 0);
        writer.WriteStruct(new cn_msg { id = new cb_id { idx = ConnectorConstants.CN_IDX_PROC, val = ConnectorConstants.CN_VAL_PROC } });
        int start = writer.Length;
        writer.WriteStruct(new proc_event { what = what, timestamp_ns = 77 });
        System.Runtime.InteropServices.MemoryMarshal.Write(datagram.AsSpan(start + ProcessEventDecoder.DataOffset), data);
        writer.EndMessage();
        return datagram;
    }
}
