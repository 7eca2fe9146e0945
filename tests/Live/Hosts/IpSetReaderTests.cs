using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>The sets of ipset in the description of a host, with or without the program ipset.</summary>
public sealed class IpSetReaderTests
{
    // IPSET_CMD_CREATE of a set "known" of the type hash:ip for IPv4: the program ipset is not needed.
    private const string CreateSet = """
        import socket, struct
        def attribute(kind, value):
            data = struct.pack("HH", 4 + len(value), kind) + value
            return data + bytes(-len(data) % 4)
        body = struct.pack("BBH", 2, 0, 0) + attribute(1, b"\x06") + attribute(2, b"known\0") + attribute(3, b"hash:ip\0")
        body += attribute(4, b"\0") + attribute(5, b"\x02") + attribute(7 | 0x8000, b"")
        s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
        s.send(struct.pack("IHHII", 16 + len(body), 6 << 8 | 2, 5, 1, 0) + body)
        error = struct.unpack_from("i", s.recv(4096), 16)[0]
        assert error == 0, error
        """;

    // Kernels with ipset built in look as if there were sets; most hosts have neither sets nor the program.
    [Fact]
    public void Sets_of_ipset_are_read_or_missed_only_where_there_are_any()
    {
        using TestNamespace host = new();
        Assert.DoesNotContain(Read(host).Notices, each => each.Contains("ipset", StringComparison.Ordinal));
        Assert.SkipUnless(Directory.Exists("/sys/module/ip_set"), "The kernel's module ip_set is not loaded.");
        host.Run("python3", "-c", CreateSet);
        FirewallHost described = Read(host);
        bool isRead = described.IpSets.Any(each => each.Name == "known");
        bool isMissed = described.Notices.Any(each =>
            each.StartsWith("The sets of ipset could not be read: the program ipset is missing", StringComparison.Ordinal));
        Assert.True(isRead != isMissed, string.Join('\n', described.Notices));
    }

    private static FirewallHost Read(TestNamespace host) => FirewallHostReader.Read(host.Name, TestContext.Current.CancellationToken);
}
