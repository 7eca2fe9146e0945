using System.Text;
using Conntracker.Core.Export.Tree;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

public class TreeEntryTests
{
    private const FlowDirection In = FlowDirection.In;
    private const FlowDirection Out = FlowDirection.Out;
    private const FlowProtocol Tcp = FlowProtocol.Tcp;

    /// <summary>A flow, what is folded, and its path.</summary>
    public static TheoryData<Flow, InternetFolding, string> Entries => new()
    {
        { TreeFlows.Of(Out, Tcp, "192.168.200.230", 50000, "8.8.8.8", 443), InternetFolding.Both, "out/tcp/192.168.200.230-PORT-INTERNET-443" },
        { TreeFlows.Of(Out, Tcp, "192.168.200.230", 50000, "8.8.8.8", 443), InternetFolding.Out, "out/tcp/192.168.200.230-PORT-INTERNET-443" },
        { TreeFlows.Of(Out, Tcp, "192.168.200.230", 50000, "8.8.8.8", 443), InternetFolding.In, "out/tcp/192.168.200.230-PORT-8.8.8.8-443" },
        { TreeFlows.Of(Out, Tcp, "192.168.200.230", 50000, "8.8.8.8", 443), InternetFolding.None, "out/tcp/192.168.200.230-PORT-8.8.8.8-443" },
        { TreeFlows.Of(Out, Tcp, "192.168.200.230", 50000, "10.1.1.1", 443), InternetFolding.Both, "out/tcp/192.168.200.230-PORT-10.1.1.1-443" },
        { TreeFlows.Of(Out, FlowProtocol.Udp, "9.9.9.9", 123, "8.8.8.8", 123), InternetFolding.Both, "out/udp/9.9.9.9-PORT-INTERNET-123" },
        { TreeFlows.Of(In, Tcp, "8.8.8.8", 50000, "9.9.9.9", 22), InternetFolding.Both, "in/tcp/INTERNET-PORT-9.9.9.9-22" },
        { TreeFlows.Of(In, Tcp, "8.8.8.8", 50000, "9.9.9.9", 22), InternetFolding.In, "in/tcp/INTERNET-PORT-9.9.9.9-22" },
        { TreeFlows.Of(In, Tcp, "8.8.8.8", 50000, "9.9.9.9", 22), InternetFolding.Out, "in/tcp/8.8.8.8-PORT-9.9.9.9-22" },
        { TreeFlows.Of(In, Tcp, "10.0.0.8", 50000, "9.9.9.9", 22), InternetFolding.Both, "in/tcp/10.0.0.8-PORT-9.9.9.9-22" },
        { TreeFlows.Of(FlowDirection.Forward, Tcp, "8.8.8.8", 50000, "9.9.9.9", 22), InternetFolding.Both, "else/tcp/8.8.8.8-50000-9.9.9.9-22" },
        { TreeFlows.Of(FlowDirection.Local, Tcp, "8.8.8.8", 50000, "8.8.8.8", 22), InternetFolding.Both, "else/tcp/8.8.8.8-50000-8.8.8.8-22" },
        { TreeFlows.Of(FlowDirection.Unknown, FlowProtocol.Udp, "192.168.200.214", 5353,
            "224.0.0.251", 5353), InternetFolding.Both, "else/udp/192.168.200.214-5353-224.0.0.251-5353" },
        { TreeFlows.Of(Out, Tcp, "2001:db8::1", 50000, "2a00:1450::8", 443), InternetFolding.Both, "out/tcp/2001:db8::1-PORT-INTERNET-443" },
        { TreeFlows.Of(In, Tcp, "2001:db8:0:1::2", 50000, "fe80::1", 443), InternetFolding.Both, "in/tcp/2001:db8:0:1::2-PORT-fe80::1-443" },
        { TreeFlows.Of(FlowDirection.Forward, FlowProtocol.Sctp, "2001:db8::1", 1,
            "::ffff:10.0.0.1", 65535), InternetFolding.Both, "else/sctp/2001:db8::1-1-::ffff:10.0.0.1-65535" },
        { TreeFlows.Of(Out, FlowProtocol.Dccp, "10.0.0.1", 1, "10.0.0.2", 2), InternetFolding.Both, "out/dccp/10.0.0.1-PORT-10.0.0.2-2" },
        { TreeFlows.Of(Out, FlowProtocol.UdpLite, "10.0.0.1", 1, "10.0.0.2", 2), InternetFolding.Both, "out/udplite/10.0.0.1-PORT-10.0.0.2-2" },
        { TreeFlows.Of(In, FlowProtocol.Icmp, "8.8.8.8", 8, "192.0.2.1", 0), InternetFolding.Both, "in/icmp/INTERNET-8-192.0.2.1-0" },
        { TreeFlows.Of(FlowDirection.Forward, FlowProtocol.Icmp, "8.8.8.8", 13, "192.0.2.1", 0), InternetFolding.Both, "else/icmp/8.8.8.8-13-192.0.2.1-0" },
        { TreeFlows.Of(Out, FlowProtocol.IcmpV6, "fe80::1", 128, "2a00::1", 0), InternetFolding.Both, "out/icmpv6/fe80::1-128-INTERNET-0" },
        { TreeFlows.Of(FlowDirection.Unknown, FlowProtocol.Icmp, "10.0.0.1", null, "10.0.0.2", null), InternetFolding.Both, "else/icmp/10.0.0.1-10.0.0.2" },
        { TreeFlows.Of(Out, FlowProtocol.Gre, "10.0.0.1", null, "8.8.8.8", null), InternetFolding.Both, "out/gre/10.0.0.1-INTERNET" },
        { TreeFlows.Of(In, FlowProtocol.Esp, "2a00::1", null, "2a00::2", null), InternetFolding.Both, "in/esp/INTERNET-2a00::2" },
        { TreeFlows.Of(FlowDirection.Forward, (FlowProtocol)143, "10.0.0.1", 4, "10.0.0.2", 5), InternetFolding.Both, "else/143/10.0.0.1-10.0.0.2" },
        { TreeFlows.Of(FlowDirection.Forward, FlowProtocol.None, "10.0.0.1", null, "10.0.0.2", null), InternetFolding.Both, "else/0/10.0.0.1-10.0.0.2" },
        { TreeFlows.Of(FlowDirection.Forward, Tcp, "10.0.0.1", null, "10.0.0.2", 80,
            FlowFolding.ClientPort), InternetFolding.Both, "else/tcp/10.0.0.1-PORT-10.0.0.2-80" },
        { TreeFlows.Of(FlowDirection.Unknown, Tcp, "0.0.0.0", null, "10.0.0.2", 80,
            FlowFolding.Client), InternetFolding.Both, "else/tcp/0.0.0.0_0-PORT-10.0.0.2-80" },
        { TreeFlows.Of(FlowDirection.Unknown, Tcp, "::", null, "::", null, FlowFolding.Protocol), InternetFolding.Both, "else/tcp/::_0-PORT-::_0-PORT" },
        { TreeFlows.Of(FlowDirection.Unknown, FlowProtocol.Icmp, "0.0.0.0", 0, "0.0.0.0",
            0, FlowFolding.Protocol), InternetFolding.Both, "else/icmp/0.0.0.0_0-0.0.0.0_0" },
        { TreeFlows.Of(FlowDirection.Unknown, FlowProtocol.Udp, "0.0.0.0", 68,
            "255.255.255.255", 67), InternetFolding.Both, "else/udp/0.0.0.0-68-255.255.255.255-67" },
        { TreeFlows.Of(In, Tcp, "0.0.0.0", null, "9.9.9.9", 22, FlowFolding.Internet), InternetFolding.None, "in/tcp/INTERNET-PORT-9.9.9.9-22" },
        { TreeFlows.Of(Out, Tcp, "::1", null, "::", 22, FlowFolding.Internet), InternetFolding.None, "out/tcp/::1-PORT-INTERNET-22" },
        { TreeFlows.Of(In, Tcp, "10.1.2.3", null, "9.9.9.9", 22, FlowFolding.Subnet), InternetFolding.None, "in/tcp/10.1.2.0_24-PORT-9.9.9.9-22" },
        { TreeFlows.Of(FlowDirection.Unknown, Tcp, "10.1.2.3", 5, "10.4.5.6", 22,
            FlowFolding.WideSubnet), InternetFolding.None, "else/tcp/10.1.0.0_16-PORT-10.4.0.0_16-22" },
    };

    [Theory]
    [MemberData(nameof(Entries))]
    public void A_flow_has_one_entry_and_is_read_back_to_the_same(Flow flow, InternetFolding folding, string path)
    {
        TreeEntry entry = TreeEntry.Of(flow, folding);
        Assert.Equal(path, PathOf(entry));
        TreeEntry read = Parse(path);
        Assert.Equal(entry, read);
        Assert.Equal(path, PathOf(TreeEntry.Of(read.ToFlow(), InternetFolding.None)));
        Assert.Equal(path, PathOf(TreeEntry.Of(read.ToFlow(), folding)));
    }

    [Theory]
    [InlineData("out/tcp/10.0.0.1-PORT-INTERNET-443", FlowFolding.Internet, "10.0.0.1", null, "0.0.0.0", 443, FlowDirection.Out)]
    [InlineData("in/tcp/INTERNET-PORT-2001:db8::1-443", FlowFolding.Internet, "::", null, "2001:db8::1", 443, FlowDirection.In)]
    [InlineData("in/tcp/10.0.0.2-PORT-10.0.0.1-443", FlowFolding.ClientPort, "10.0.0.2", null, "10.0.0.1", 443, FlowDirection.In)]
    [InlineData("else/udp/10.0.0.2-5-10.0.0.1-53", FlowFolding.None, "10.0.0.2", 5, "10.0.0.1", 53, FlowDirection.Unknown)]
    [InlineData("else/udp/10.0.0.0_24-PORT-10.0.1.0_24-53", FlowFolding.Subnet, "10.0.0.0", null, "10.0.1.0", 53, FlowDirection.Unknown)]
    [InlineData("else/udp/0.0.0.0_0-PORT-0.0.0.0_0-PORT", FlowFolding.Protocol, "0.0.0.0", null, "0.0.0.0", null, FlowDirection.Unknown)]
    [InlineData("else/gre/10.0.0.2-10.0.0.1", FlowFolding.None, "10.0.0.2", null, "10.0.0.1", null, FlowDirection.Unknown)]
    public void What_an_entry_tells_stands_in_the_flow(string path, FlowFolding folding,
        string src, int? srcPort, string dst, int? dstPort, FlowDirection direction)
    {
        Flow flow = Parse(path).ToFlow();
        Assert.Equal((folding, direction), (flow.Folding, flow.Direction));
        Assert.Equal((src, dst), (flow.SrcAddress.ToString(), flow.DstAddress.ToString()));
        Assert.Equal(((ushort?)srcPort, (ushort?)dstPort), (flow.SrcPort, flow.DstPort));
    }

    [Theory]
    [MemberData(nameof(Hostile))]
    public void What_no_writer_writes_is_no_entry(string path)
    {
        string[] parts = path.Split('/', 3);
        bool isRead = TreeName.TryParse(TreeName.ToSection(parts[0])!.Value,
            TreeName.ToProtocol(parts[1])!.Value, Encoding.Latin1.GetBytes(parts[2]), out TreeEntry entry);
        Assert.True(!isRead || TreeEntry.Of(entry.ToFlow(), InternetFolding.None) != entry, path);
    }

    public static TheoryData<string> Hostile =>
    [
        "in/tcp/", "in/tcp/-", "in/tcp/---", "in/tcp/-----", "in/tcp/10.0.0.1", "in/tcp/10.0.0.1-10.0.0.2", "in/tcp/10.0.0.1-5-10.0.0.2-5",
        "in/tcp/10.0.0.1-PORT-INTERNET-5", "out/tcp/INTERNET-PORT-10.0.0.1-5", "else/tcp/INTERNET-PORT-10.0.0.1-5", "in/tcp/INTERNET-PORT-INTERNET-5",
        "else/tcp/10.0.0.1-05-10.0.0.2-5", "else/tcp/10.0.0.1-65536-10.0.0.2-5", "else/tcp/10.0.0.1--1-10.0.0.2-5", "else/tcp/10.0.0.01-5-10.0.0.2-5",
        "else/tcp/10.0.0.256-5-10.0.0.2-5", "else/tcp/10.0.0.1-5-2001:db8::1-5",
        "else/tcp/2001:DB8::1-5-2001:db8::2-5", "else/tcp/2001:db8:0::1-5-2001:db8::2-5",
        "else/tcp/fe80::1%3-5-2001:db8::2-5", "else/tcp/10.0.0.1-5-10.0.0.2-5 ", "else/tcp/10.0.0.1-5-10.0.0.2-5-6", "else/tcp/10.0.0.1-port-10.0.0.2-5",
        "else/tcp/10.0.0.0_24-PORT-10.0.0.1-5", "else/tcp/10.0.0.1_24-PORT-10.0.0.1_24-5",
        "else/tcp/10.0.0.0_23-PORT-10.0.0.0_23-5", "else/tcp/10.0.0.0_-PORT-10.0.0.0_24-5",
        "else/tcp/10.0.0.1_32-PORT-10.0.0.2_32-5", "else/tcp/10.0.0.0_24-PORT-10.0.0.0_16-5",
        "else/tcp/10.0.0.0_0-PORT-10.0.0.1-5", "else/tcp/10.0.0.1_255-5-10.0.0.2-5",
        "else/gre/10.0.0.1-5-10.0.0.2-5", "else/icmp/10.0.0.1-PORT-10.0.0.2-PORT", "else/icmp/10.0.0.1-256-10.0.0.2-0", "else/tcp/\xff\xfe-5-\0-5",
        "else/tcp/10.0.0.1-5-10.0.0.2-4294967297", "else/tcp/1111111111111111111111111111111111111111111111111111111111111-5-10.0.0.2-5",
        "in/tcp/" + new string('-', 250), "in/tcp/" + new string('1', 255),
    ];

    [Fact]
    public void Every_protocol_has_a_folder_of_its_own_and_is_read_back()
    {
        for (int number = 0; number < 256; number++)
        {
            FlowProtocol protocol = (FlowProtocol)number;
            Assert.Equal(protocol, TreeName.ToProtocol(TreeName.Of(protocol)));
            bool isIcmp = protocol is FlowProtocol.Icmp or FlowProtocol.IcmpV6;
            foreach (string address in new[] { "10.0.0.1", "2001:db8::1" })
            {
                foreach (FlowDirection direction in Enum.GetValues<FlowDirection>())
                {
                    Flow flow = TreeFlows.Of(direction, protocol, address, isIcmp ? 8 : 5, address, isIcmp ? 0 : 6);
                    TreeEntry entry = TreeEntry.Of(flow, InternetFolding.Both);
                    for (int level = 0; level <= TreeEntry.LastLevel; level++)
                    {
                        string path = PathOf(entry.Fold(level));
                        Assert.Equal(entry.Fold(level), Parse(path));
                        Assert.Equal(path, PathOf(TreeEntry.Of(Parse(path).ToFlow(), InternetFolding.Both)));
                    }
                }
            }
        }

        Assert.Null(TreeName.ToProtocol("6"));
        Assert.Null(TreeName.ToProtocol("TCP"));
        Assert.Null(TreeName.ToProtocol("256"));
    }

    [Theory]
    [InlineData("else/tcp/10.1.2.3-5-192.168.7.8-443", "else/tcp/10.1.2.0_24-PORT-192.168.7.0_24-443",
        "else/tcp/10.1.0.0_16-PORT-192.168.0.0_16-443", "else/tcp/0.0.0.0_0-PORT-0.0.0.0_0-PORT")]
    [InlineData("in/tcp/10.1.2.3-PORT-192.168.7.8-443", "in/tcp/10.1.2.0_24-PORT-192.168.7.8-443",
        "in/tcp/10.1.0.0_16-PORT-192.168.7.8-443", "in/tcp/0.0.0.0_0-PORT-0.0.0.0_0-PORT")]
    [InlineData("out/udp/2001:db8:1:2:3::4-PORT-2001:db8:5:6:7::8-53", "out/udp/2001:db8:1:2:3::4-PORT-2001:db8:5:6::_64-53",
        "out/udp/2001:db8:1:2:3::4-PORT-2001:db8:5::_48-53", "out/udp/::_0-PORT-::_0-PORT")]
    [InlineData("out/udp/10.0.0.1-PORT-INTERNET-53", "out/udp/10.0.0.1-PORT-INTERNET-53",
        "out/udp/10.0.0.1-PORT-INTERNET-53", "out/udp/0.0.0.0_0-PORT-0.0.0.0_0-PORT")]
    [InlineData("else/icmp/10.1.2.3-8-192.168.7.8-0", "else/icmp/10.1.2.0_24-8-192.168.7.0_24-0",
        "else/icmp/10.1.0.0_16-8-192.168.0.0_16-0", "else/icmp/0.0.0.0_0-0.0.0.0_0")]
    [InlineData("else/udp/0.0.0.0-68-255.255.255.255-67", "else/udp/0.0.0.0_0-PORT-255.255.255.0_24-67",
        "else/udp/0.0.0.0_0-PORT-255.255.0.0_16-67", "else/udp/0.0.0.0_0-PORT-0.0.0.0_0-PORT")]
    [InlineData("else/gre/10.1.2.3-10.4.5.6", "else/gre/10.1.2.0_24-10.4.5.0_24", "else/gre/10.1.0.0_16-10.4.0.0_16", "else/gre/0.0.0.0_0-0.0.0.0_0")]
    public void Past_the_limit_an_entry_is_told_more_coarsely_step_by_step(params string[] levels)
    {
        TreeEntry entry = Parse(levels[0]);
        for (int level = 0; level < levels.Length; level++)
        {
            Assert.Equal(levels[level], PathOf(entry.Fold(level)));
            Assert.Equal(levels[level], PathOf(TreeEntry.Of(Parse(levels[level]).ToFlow(), InternetFolding.Both)));
        }
    }

    [Fact]
    public void A_flow_as_the_table_holds_it_has_the_same_entry_as_its_object()
    {
        using CollectorProbe probe = new();
        probe.Event(new Conn().New());
        probe.Event(new Conn { Protocol = FlowProtocol.Icmp }.New());
        probe.Event(new Conn { Protocol = FlowProtocol.Gre }.New());
        probe.Event(new Conn { Src = "2001:db8::2", SrcPort = 50000, Dst = "2001:db8::1", DstPort = 8443 }.New());
        using FlowSnapshot snapshot = probe.Collector.Snapshot();
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            TreeEntry entry = TreeEntry.Of(in snapshot[slot], snapshot.Direction(slot), InternetFolding.Both);
            Assert.Equal(TreeEntry.Of(snapshot.ToFlow(slot, FlowQuery.All)!, InternetFolding.Both), entry);
        }
    }

    [Fact]
    public void Flows_that_the_capture_folded_have_the_same_entry_as_their_objects()
    {
        using CollectorProbe probe = new();
        for (int i = 0; i < 3000; i++)
        {
            Conn conn = new()
            {
                Src = i < 2000 ? "10.0.0.1"
                : $"10.{i % 7}.{i / 256}.{i % 256}",
                SrcPort = (ushort)(20000 + i),
                DstPort = (ushort)(i % 2 == 0 ? 443 : i),
                Protocol = i % 3 == 0 ? FlowProtocol.Icmp : FlowProtocol.Tcp
            };
            probe.Event(conn.New());
            probe.Event(conn.Destroy());
        }

        using FlowSnapshot snapshot = probe.Collector.Snapshot();
        HashSet<FlowFolding> seen = [];
        for (int slot = 0; slot < snapshot.SlotCount; slot++)
        {
            if (snapshot.ToFlow(slot, FlowQuery.All) is Flow flow)
            {
                seen.Add(flow.Folding);
                TreeEntry entry = TreeEntry.Of(in snapshot[slot], snapshot.Direction(slot), InternetFolding.Both);
                Assert.Equal(TreeEntry.Of(flow, InternetFolding.Both), entry);
                Assert.Equal(entry, Parse(PathOf(entry)));
                Assert.Equal(entry, TreeEntry.Of(entry.ToFlow(), InternetFolding.Both));
            }
        }

        Assert.True(seen.Count > 2, string.Join(' ', seen));
    }

    private static string PathOf(TreeEntry entry)
    {
        Span<byte> name = stackalloc byte[TreeName.MaxLength];
        return $"{TreeName.Of(entry.Section)}/{TreeName.Of(entry.Protocol)}/{Encoding.UTF8.GetString(name[..TreeName.Write(name, in entry)])}";
    }

    private static TreeEntry Parse(string path)
    {
        string[] parts = path.Split('/');
        Assert.True(TreeName.TryParse(TreeName.ToSection(parts[0])!.Value,
            TreeName.ToProtocol(parts[1])!.Value, Encoding.UTF8.GetBytes(parts[2]), out TreeEntry entry), path);
        return entry;
    }
}
