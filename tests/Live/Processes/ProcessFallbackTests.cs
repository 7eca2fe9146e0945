using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>Sockets from before the capture, hosts without eBPF, and what is left of a capture that was killed.</summary>
public sealed class ProcessFallbackTests
{
    private const int Port = 5000;

    [Theory]
    [InlineData(FlowProtocol.Tcp, "127.0.0.1")]
    [InlineData(FlowProtocol.Udp, "127.0.0.1")]
    [InlineData(FlowProtocol.Tcp, "::1")]
    [InlineData(FlowProtocol.Udp, "::1")]
    public void A_connection_from_before_the_capture_is_looked_up(FlowProtocol protocol, string address)
    {
        using TestNamespace host = new();
        host.LoadRules("table inet users {\nchain tracking {\nct state new\n}\n}");
        IPAddress at = IPAddress.Parse(address);
        using EchoServer? server = EchoServer.Start(host, protocol, at, Port);
        using Socket client = TestClient.Open(host, protocol, new IPEndPoint(at, 40001), new IPEndPoint(at, Port));

        using LiveCapture live = ProcessCapture.Start(host);

        Flow flow = live.FlowTo(Port, flow => flow is { Process: not null, ReplyProcess: not null });
        Assert.Equal((Environment.ProcessId, ProcessSource.Diag), (flow.Process!.Id, flow.Process.Source));
        Assert.Equal((Environment.ProcessId, ProcessSource.Diag), (flow.ReplyProcess!.Id, flow.ReplyProcess.Source));
        Assert.NotNull(flow.Process.CommandLine);
    }

    [Fact]
    public void Without_CAP_BPF_a_note_names_it_and_processes_are_looked_up()
    {
        ProcessCapture.NeedPrograms();
        AssertLooksUp("CAP_BPF", "setpriv", "--bounding-set=-bpf,-sys_admin", "--inh-caps=-all", "--");
    }

    [Fact]
    public void Without_libbpf_a_note_names_its_package_and_processes_are_looked_up()
    {
        ProcessCapture.NeedPrograms();
        string[] libraries = [.. Directory.GetDirectories("/usr/lib", "*-linux-gnu").SelectMany(folder => Directory.GetFiles(folder, "libbpf.so.1.*"))];
        Assert.SkipWhen(libraries.Length == 0, "libbpf is missing anyway: install the package libbpf1.");
        string hide = string.Join(" && ", libraries.Select(path => $"mount --bind /dev/null {path}"));
        AssertLooksUp("libbpf1", "unshare", "--mount", "sh", "-c", $"{hide} && exec \"$@\"", "sh");
    }

    [Fact]
    public void Kill_minus_9_leaves_no_program_and_no_link_behind()
    {
        ProcessCapture.NeedPrograms();
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool killed = program.Start(host, "-b");
        string[] links = LinksOf(killed.Id);
        Assert.True(links.Length >= 10, $"{links.Length} links: {killed.Error}");
        Assert.All(links, link => Assert.Equal(0, Tool.Try("bpftool", "link", "show", "id", link).ExitCode));
        string[] programs = [.. links.Select(link => Tool.Run("bpftool", "-j", "link", "show", "id", link)).Select(ProgramOf)];

        killed.End("KILL");

        Eventually.True("no link", () => links.All(link => Tool.Try("bpftool", "link", "show", "id", link).ExitCode != 0));
        Eventually.True("no program", () => programs.All(each => Tool.Try("bpftool", "prog", "show", "id", each).ExitCode != 0));
    }

    [Fact]
    public void Without_the_option_nothing_is_loaded()
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.Start(host);
        program.WriteLog(tool);
        Assert.Empty(LinksOf(tool.Id));
        Assert.Equal(0, tool.End("INT").ExitCode);
    }

    [Fact]
    public void The_command_line_names_the_process_in_its_log()
    {
        ProcessCapture.NeedPrograms();
        using TestNamespace host = new();
        using CommandLine program = new();
        using Tool tool = program.Start(host, "-b");
        using EchoServer? server = EchoServer.Start(host, FlowProtocol.Tcp, IPAddress.Loopback, Port);
        TestClient.Exchange(host, FlowProtocol.Tcp, new IPEndPoint(IPAddress.Loopback, 40001), new IPEndPoint(IPAddress.Loopback, Port));

        string process = string.Create(CultureInfo.InvariantCulture, $",pid:{Environment.ProcessId},uid:");
        Eventually.True(process, () => program.WriteLog(tool).Contains(process, StringComparison.Ordinal));
    }

    private static void AssertLooksUp(string named, params string[] starter)
    {
        using TestNamespace host = new();
        using CommandLine program = new();
        using EchoServer? server = EchoServer.Start(host, FlowProtocol.Tcp, IPAddress.Loopback, Port);

        // 'ip netns exec' would hide the cgroups.
        using Tool tool = Tool.Start("nsenter",
            [$"--net=/run/netns/{host.Name}", .. starter, CommandLine.Program, "-b", "-o", program.Log, "--format", "jsonlines", "--duration", "30"]);
        Eventually.True("the program's table", () => host.Run("nft", "list", "tables").Contains("conntracker", StringComparison.Ordinal));
        using Socket client = TestClient.Open(host, FlowProtocol.Tcp, new IPEndPoint(IPAddress.Loopback, 40001), new IPEndPoint(IPAddress.Loopback, Port));

        // Twice, because the first one may be looked up while the socket is not accepted yet.
        Eventually.True("the process in the log", () => program.WriteLog(tool).Contains("\"Source\":\"Diag\"", StringComparison.Ordinal));
        ToolResult result = tool.End("INT");
        Assert.Equal(0, result.ExitCode);
        Assert.Contains(named, result.Error, StringComparison.Ordinal);
        Assert.Contains("INET_DIAG", result.Error, StringComparison.Ordinal);
    }

    private static string[] LinksOf(int process)
    {
        Tool.Need("bpftool");
        return [.. Directory.GetFiles($"/proc/{process}/fdinfo")
            .SelectMany(ReadLines)
            .Where(line => line.StartsWith("link_id:", StringComparison.Ordinal))
            .Select(line => line["link_id:".Length..].Trim())];
    }

    private static string[] ReadLines(string path)
    {
        try
        {
            return File.ReadAllLines(path);
        }
        catch (IOException)
        {
            // It was closed meanwhile.
            return [];
        }
    }

    private static string ProgramOf(string link)
    {
        using System.Text.Json.JsonDocument json = System.Text.Json.JsonDocument.Parse(link);
        System.Text.Json.JsonElement root = json.RootElement;
        return (root.ValueKind == System.Text.Json.JsonValueKind.Array ? root[0] : root).GetProperty("prog_id").ToString();
    }
}
