using Conntracker.Tests.Live.Support;
using Xunit;

namespace Conntracker.Tests.Live;

/// <summary>
/// Captures live in a shell, which starts other programs. What these inherit outlives the shell: a socket of libnftables would keep our table, one
/// of libpcap the promiscuous mode, as long as a background job runs.
/// </summary>
public sealed class ChildProcessTests
{
    [Theory]
    [InlineData(CaptureSource.Conntrack)]
    [InlineData(CaptureSource.Packet)]
    public void A_program_that_is_started_while_a_capture_runs_inherits_nothing_of_it(CaptureSource source)
    {
        using TestNamespace host = new();
        string[] before = SocketsOfChild();
        using LiveCapture live = LiveCapture.Start(new CaptureOptions
        {
            NetworkNamespace = host.Name,
            Source = source,
            Interface = source == CaptureSource.Packet ? "lo" : null,
            Trace = source == CaptureSource.Conntrack ? TraceMode.Flows : TraceMode.None,
            ResolveProcess = true,
        });

        Assert.Equal(before, SocketsOfChild());
    }

    [Fact]
    public void A_program_that_is_started_while_a_capture_file_is_read_does_not_inherit_the_file()
    {
        using CommandLine folder = new();
        string pipe = folder.PathOf("pipe");
        Tool.Run("mkfifo", pipe);
        using (FileStream writer = new(pipe, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            writer.Write(File.ReadAllBytes(Path.Join(CommandLine.Root(), "tests", "Shared", "Fixtures", "office.pcap")));
            writer.Flush();
            using CaptureSession session = CaptureSession.Begin(new CaptureOptions { Source = CaptureSource.Packet, PcapPath = pipe });
            try
            {
                Assert.DoesNotContain(pipe, DescriptorsOfChild());
            }
            finally
            {
                // The pipe's end ends the reading.
                writer.Close();
            }
        }
    }

    private static string[] SocketsOfChild() =>
        [.. DescriptorsOfChild().Where(each => each.StartsWith("socket:", StringComparison.Ordinal)).Order(StringComparer.Ordinal)];

    private static string[] DescriptorsOfChild()
    {
        using Tool child = Tool.Start("sleep", "30");
        string folder = $"/proc/{child.Id}/fd";
        Eventually.True("the program", () => File.ReadAllText($"/proc/{child.Id}/comm").Trim() == "sleep");
        return [.. Directory.GetFiles(folder).Select(each => new FileInfo(each).LinkTarget).OfType<string>()];
    }
}
