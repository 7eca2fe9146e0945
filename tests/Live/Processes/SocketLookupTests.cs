using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Conntracker.Core.Processes;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>Whose a socket is, without eBPF.</summary>
public sealed class SocketLookupTests
{
    private const byte NoProtocol = 250;

    [Fact]
    public void A_process_that_no_longer_holds_a_socket_is_not_named_for_it()
    {
        SocketInodes inodes = new();
        Socket socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        string link = new FileInfo($"/proc/self/fd/{socket.Handle}").LinkTarget!;
        uint inode = uint.Parse(link.AsSpan("socket:[".Length).TrimEnd(']'), CultureInfo.InvariantCulture);
        Assert.Equal(Environment.ProcessId, inodes.HolderOf(inode));

        socket.Dispose();

        Assert.Equal(0, inodes.HolderOf(inode));
    }

    [Fact]
    public void A_kernel_that_cannot_look_up_a_protocol_is_told_from_one_that_has_no_such_socket()
    {
        using SocketDiagSource source = new();
        Assert.True(source.CanFind((byte)FlowProtocol.Tcp));
        Assert.True(source.CanFind((byte)FlowProtocol.Udp));
        Assert.False(source.CanFind(NoProtocol));
    }
}
