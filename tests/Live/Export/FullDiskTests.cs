using System.Diagnostics;
using Xunit;

namespace Conntracker.Tests.Live.Export;

public sealed class FullDiskTests
{
    [Fact]
    public void A_full_disk_is_reported_as_such_and_the_previous_log_stays()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Needs root, to mount a small file system.");
        string folder = Directory.CreateTempSubdirectory("conntracker-test-").FullName;
        try
        {
            Assert.SkipUnless(Run("mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder) == 0, "This machine does not allow mounting a tmpfs.");
            try
            {
                string target = Path.Combine(folder, "flows.log");
                File.WriteAllText(target, "old");

                using (LogFile file = LogFile.Create(target))
                {
                    LogFileException error = Assert.Throws<LogFileException>(() => Fill(file.Stream));
                    Assert.Equal(LogFileReason.NoSpace, error.Reason);
                    Assert.Contains(target, error.Message, StringComparison.Ordinal);
                }

                Assert.Equal("old", File.ReadAllText(target));
                Assert.Equal([target], Directory.GetFileSystemEntries(folder));
            }
            finally
            {
                Run("umount", folder);
            }
        }
        finally
        {
            Directory.Delete(folder);
        }
    }

    // More flows than 64 KiB hold, through a writer, as a user's export would go.
    private static void Fill(Stream stream)
    {
        using IFlowWriter writer = FlowWriter.Create(stream, LogFormat.JsonLines);
        for (int i = 0; i < 1000; i++)
        {
            writer.Write(new Flow
            {
                Protocol = FlowProtocol.Tcp,
                Family = FlowFamily.IPv4,
                SrcAddress = System.Net.IPAddress.Loopback,
                DstAddress = System.Net.IPAddress.Loopback,
            });
        }

        writer.Complete();
    }

    private static int Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(program, arguments);
        process.WaitForExit();
        return process.ExitCode;
    }
}
