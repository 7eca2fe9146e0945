using System.Net;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live.Packets;

/// <summary>Without a capability, and without libpcap.</summary>
public sealed class PacketCapabilityTests
{
    [Fact]
    public void Without_CAP_NET_RAW_the_error_names_it()
    {
        using TestNamespace host = new();

        using Tool tool = host.Start("setpriv", "--bounding-set=-net_raw",
            "--inh-caps=-net_raw", CommandLine.Program, "-i", "lo", "-o", "-", "--duration", "5");
        ToolResult result = tool.Wait();

        Assert.Equal((1, ""), (result.ExitCode, result.Output));
        Assert.Contains("CAP_NET_RAW", Assert.Single(result.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("lo")]
    [InlineData("any")]
    public void CAP_NET_RAW_alone_is_enough(string device)
    {
        using TestNamespace host = new();

        using Tool tool = host.Start("setpriv", "--bounding-set=-all,+net_raw",
            "--inh-caps=-all", CommandLine.Program, "-i", device, "-o", "-", "--duration", "1", "--quiet");
        ToolResult result = tool.Wait();

        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal("", result.Error);
    }

    [Fact]
    public void Nobody_may_read_a_capture_file()
    {
        TestNamespace.NeedRoot();
        using CommandLine folder = new();
        string path = WriteFile(folder);

        ToolResult result = Tool.Try("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
            "--bounding-set=-all", "--inh-caps=-all", CommandLine.Program, "--pcap", path, "-o", "-", "--quiet");

        Assert.Equal((0, ""), (result.ExitCode, result.Error));
        Assert.Contains("src = 127.0.0.1 (port=40001) to dst = 127.0.0.1 (port=5001)", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public void Without_libpcap_the_error_names_its_package_and_connection_tracking_is_captured_all_the_same()
    {
        using TestNamespace host = new();
        using CommandLine folder = new();
        string path = WriteFile(folder);

        foreach (string[] source in (string[][])[["-i", "lo"], ["--pcap", path]])
        {
            ToolResult refused = RunWithout(host, [.. source, "-o", "-"]);
            Assert.Equal((1, ""), (refused.ExitCode, refused.Output));
            Assert.Contains("libpcap0.8", Assert.Single(refused.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)), StringComparison.Ordinal);
        }

        ToolResult tracked = RunWithout(host, ["-o", "-", "--duration", "0.5"]);
        Assert.True(tracked.ExitCode == 0, tracked.Error);
    }

    private static ToolResult RunWithout(TestNamespace host, string[] arguments)
    {
        string[] libraries = [.. Directory.GetDirectories("/usr/lib", "*-linux-gnu")
            .SelectMany(folder => Directory.GetFiles(folder, "libpcap.so.*")).Where(path => File.ResolveLinkTarget(path, true) is null)];
        Assert.SkipWhen(libraries.Length == 0, "libpcap is missing anyway: install the package libpcap0.8.");
        string hide = string.Join(" && ", libraries.Select(path => $"mount --bind /dev/null {path}"));
        return Tool.Try("nsenter",
            [$"--net=/run/netns/{host.Name}", "unshare", "--mount", "sh", "-c", $"{hide} && exec \"$@\"", "sh", CommandLine.Program, .. arguments]);
    }

    // A datagram on the loopback, in a file that everybody may read.
    private static string WriteFile(CommandLine folder)
    {
        string path = folder.PathOf("lo.pcap");
        PcapFile.Write(path, new IPEndPoint(IPAddress.Loopback, 40001), new IPEndPoint(IPAddress.Loopback, 5001));
        File.SetUnixFileMode(folder.Folder,
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute |
                UnixFileMode.GroupRead | UnixFileMode.GroupExecute);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherRead | UnixFileMode.GroupRead);
        return path;
    }
}
