using System.Globalization;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;
using Conntracker.Core.Native;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The C compiler proves what Native/ says of the C headers: sizes, offsets, and the value of each constant.</summary>
public sealed class LayoutTests : IDisposable
{
    // The repository's own header, which the programs in the kernel share.
    private static readonly string s_attribution = Path.Combine(Fixture.Root(), "src", "Conntracker.Bpf", "attribution.h");

    /// <summary>Which headers define what a type mirrors. A struct or a class of constants that is not listed here fails a test.</summary>
    private static readonly Dictionary<string, string[]> s_headers = new()
    {
        [nameof(sockaddr_nl)] = ["linux/netlink.h"],
        [nameof(nlmsghdr)] = ["linux/netlink.h"],
        [nameof(nfgenmsg)] = ["linux/netfilter/nfnetlink.h"],
        [nameof(nfulnl_msg_packet_hdr)] = ["linux/netfilter/nfnetlink_log.h"],
        [nameof(nfulnl_msg_config_mode)] = ["linux/netfilter/nfnetlink_log.h"],
        [nameof(ifaddrmsg)] = ["linux/if_addr.h"],
        [nameof(rtmsg)] = ["linux/rtnetlink.h"],
        [nameof(ifinfomsg)] = ["linux/rtnetlink.h"],
        [nameof(rtnexthop)] = ["sys/socket.h", "linux/rtnetlink.h"],
        [nameof(fib_rule_hdr)] = ["linux/fib_rules.h"],
        [nameof(LinkConstants)] =
            ["sys/socket.h", "linux/rtnetlink.h", "linux/if_link.h", "linux/if.h", "linux/if_arp.h", "linux/veth.h", "linux/net_namespace.h"],
        [nameof(RouteConstants)] = ["sys/socket.h", "linux/rtnetlink.h", "linux/fib_rules.h"],
        [nameof(IpSetConstants)] = ["linux/netfilter/nfnetlink.h", "linux/netfilter/ipset/ip_set.h"],
        [nameof(TunConstants)] = ["sys/ioctl.h", "linux/if_tun.h"],
        [nameof(sock_filter)] = ["linux/filter.h"],
        [nameof(sock_fprog)] = ["linux/filter.h"],
        [nameof(SocketFilterConstants)] = ["linux/filter.h"],
        [nameof(dirent64)] = ["dirent.h"],
        [nameof(FileConstants)] = ["stdio.h"],
        [nameof(SocketConstants)] = ["sys/socket.h", "linux/netlink.h"],
        [nameof(NetlinkConstants)] = ["sys/socket.h", "linux/netlink.h", "linux/rtnetlink.h", "linux/if_addr.h"],
        [nameof(ConntrackConstants)] =
            ["linux/netfilter/nfnetlink.h", "linux/netfilter/nfnetlink_conntrack.h", "linux/netfilter/nf_conntrack_common.h"],
        [nameof(NftablesConstants)] = ["linux/netfilter/nfnetlink.h", "linux/netfilter.h", "linux/netfilter/nf_tables.h"],
        [nameof(socket_owner)] = [s_attribution],
        [nameof(socket_record)] = [s_attribution],
        [nameof(pcap_pkthdr)] = ["pcap/pcap.h"],
        [nameof(timeval)] = ["sys/time.h"],
        [nameof(pcap_stat)] = ["pcap/pcap.h"],
        [nameof(bpf_program)] = ["pcap/pcap.h"],
        [nameof(PcapConstants)] = ["pcap/pcap.h", "linux/if_ether.h"],
        [nameof(cb_id)] = ["linux/connector.h"],
        [nameof(cn_msg)] = ["linux/connector.h"],
        [nameof(proc_event)] = ["linux/cn_proc.h"],
        [nameof(fork_proc_event)] = ["linux/cn_proc.h"],
        [nameof(exec_proc_event)] = ["linux/cn_proc.h"],
        [nameof(comm_proc_event)] = ["linux/cn_proc.h"],
        [nameof(ConnectorConstants)] = ["linux/connector.h", "linux/cn_proc.h"],
        [nameof(inet_diag_sockid)] = ["linux/inet_diag.h"],
        [nameof(inet_diag_req_v2)] = ["linux/inet_diag.h"],
        [nameof(inet_diag_msg)] = ["linux/inet_diag.h"],
        [nameof(SocketDiagConstants)] = ["linux/sock_diag.h", "linux/inet_diag.h"],
        [nameof(sched_param)] = ["sched.h"],
        [nameof(PriorityConstants)] = ["sys/resource.h"],
        [nameof(ClockConstants)] = ["time.h"],
        [nameof(xt_counters)] = ["linux/netfilter/x_tables.h"],
        [nameof(ipt_getinfo)] = ["linux/netfilter_ipv4/ip_tables.h"],
        [nameof(ipt_get_entries)] = ["linux/netfilter_ipv4/ip_tables.h"],
        [nameof(ipt_ip)] = ["linux/netfilter_ipv4/ip_tables.h"],
        [nameof(ipt_entry)] = ["linux/netfilter_ipv4/ip_tables.h"],
        [nameof(ip6t_getinfo)] = ["linux/netfilter_ipv6/ip6_tables.h"],
        [nameof(ip6t_get_entries)] = ["linux/netfilter_ipv6/ip6_tables.h"],
        [nameof(ip6t_ip6)] = ["linux/netfilter_ipv6/ip6_tables.h"],
        [nameof(ip6t_entry)] = ["linux/netfilter_ipv6/ip6_tables.h"],
        [nameof(IptablesConstants)] = ["linux/netfilter_ipv4/ip_tables.h", "linux/netfilter_ipv6/ip6_tables.h"],
        [nameof(NflogConstants)] = ["netinet/in.h", "linux/netfilter/nfnetlink.h", "linux/netfilter/nfnetlink_log.h", "linux/netfilter.h"],
        [nameof(Libnftables)] = ["nftables/libnftables.h"],
    };

    // In C the mask is an int with all higher bits set; it is applied to 16 bits.
    private static readonly Dictionary<string, string> s_names = new() { [nameof(NetlinkConstants.NLA_TYPE_MASK)] = "NLA_TYPE_MASK & 0xffff" };

    // Constants of kernels that are younger than the headers of many hosts: proved where the headers have the last of its enum.
    private static readonly Dictionary<string, string> s_young = new()
    {
        [nameof(NftablesConstants.NFTA_TRACE_CT_ID)] = "NFTA_TRACE_MAX >= 21",
        [nameof(NftablesConstants.NFTA_TRACE_CT_DIRECTION)] = "NFTA_TRACE_MAX >= 21",
        [nameof(NftablesConstants.NFTA_TRACE_CT_STATUS)] = "NFTA_TRACE_MAX >= 21",
        [nameof(NftablesConstants.NFTA_TRACE_CT_STATE)] = "NFTA_TRACE_MAX >= 21",
    };

    private readonly CCompiler _compiler = new();

    public static TheoryData<string> Mirrors => [.. s_headers.Keys];

    public void Dispose() => _compiler.Dispose();

    [Fact]
    public void Every_struct_and_every_class_of_constants_of_Native_is_proved() =>
        Assert.Equal(Mirrored().Select(each => each.Name).Order(StringComparer.Ordinal), s_headers.Keys.Order(StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Mirrors))]
    public void The_C_headers_agree(string name)
    {
        Type type = Mirrored().Single(each => each.Name == name);
        string? why = _compiler.WhyNot(s_headers[name]);
        Assert.SkipWhen(why is not null, $"Not proved, because {why}.");

        string program = Program(type);
        Assert.True(_compiler.Accepts(program, out string message), $"{name} is not what the C headers say:\n{message}\n{program}");
    }

    [Theory]
    [InlineData("struct nlmsghdr", "_Static_assert(sizeof(struct nlmsghdr) == 17, \"size\");")]
    [InlineData("constant", "_Static_assert(NLMSG_DONE == 4, \"NLMSG_DONE\");")]
    public void A_wrong_layout_or_value_would_not_compile(string name, string assertion)
    {
        Assert.SkipUnless(_compiler.Accepts("#include <linux/netlink.h>\n", out string error), $"There is no C compiler or no kernel headers: {error}");
        Assert.False(_compiler.Accepts($"#include <linux/netlink.h>\n{assertion}\n", out string message), name);
        Assert.Contains("static assertion failed", message, StringComparison.Ordinal);
    }

    // Every struct, and every class that has a constant which C has too: public and of a number.
    private static IEnumerable<Type> Mirrored() =>
        typeof(nlmsghdr).Assembly.GetTypes().Where(each =>
            each.Namespace == typeof(nlmsghdr).Namespace && !each.IsNested && !each.IsByRefLike && (each.IsValueType || Constants(each).Any()));

    private static IEnumerable<(string Name, long Value)> Constants(Type type)
    {
        const BindingFlags All = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;
        return type.IsEnum ? [] : type.GetFields(All).Where(each => each.IsLiteral && each.FieldType != typeof(string))
            .Select(each => (each.Name, Convert.ToInt64(each.GetRawConstantValue(), CultureInfo.InvariantCulture)));
    }

    private static string Includes(Type type) =>
        "#define _GNU_SOURCE\n#include <stddef.h>\n" + string.Concat(s_headers[type.Name].Select(each => $"#include <{each}>\n"));

    private string Program(Type type)
    {
        StringBuilder program = new(Includes(type));
        foreach ((string name, long value) in Constants(type).Where(each =>
            !s_young.TryGetValue(each.Name, out string? condition) || _compiler.Accepts($"{Includes(type)}_Static_assert({condition}, \"young\");\n", out _)))
        {
            program.Append(CultureInfo.InvariantCulture, $"_Static_assert(({s_names.GetValueOrDefault(name, name)}) == {value}, \"{name}\");\n");
        }

        if (type.IsValueType)
        {
            program.Append(CultureInfo.InvariantCulture, $"_Static_assert(sizeof(struct {type.Name}) == {SizeOf(type)}, \"{type.Name}\");\n");
            foreach (FieldInfo field in Fields(type))
            {
                string offset = $"offsetof(struct {type.Name}, {field.Name}) == {OffsetOf(type, field)}";
                string size = $"sizeof(((struct {type.Name} *)0)->{field.Name}) == {SizeOf(field.FieldType)}";
                program.Append(CultureInfo.InvariantCulture, $"_Static_assert({offset} && {size}, \"{type.Name}.{field.Name}\");\n");
            }
        }

        return program.ToString();
    }

    private static FieldInfo[] Fields(Type type) => type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);

    // Marshal.SizeOf tells the layout for marshalling; all fields here are blittable, so that it is the layout in memory as well.
    private static int SizeOf(Type type) =>
        type.IsPointer || type == typeof(nint) || type == typeof(nuint) ? nint.Size : Marshal.SizeOf(type);

    private static nint OffsetOf(Type type, FieldInfo field) => Marshal.OffsetOf(type, field.Name);
}
