using System.Diagnostics;
using System.Runtime.Versioning;
using System.Text;
using Xunit;

namespace Conntracker.Tests.Unit.Export;

[SupportedOSPlatform("linux")]
public sealed class LogFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("conntracker-test-").FullName;

    private string Target => Path.Combine(_folder, "flows.log");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_log_takes_its_place_whole_and_only_its_owner_can_read_it(bool nameless)
    {
        File.WriteAllText(Target, "old");
        using (LogFile file = LogFile.Create(Target, noClobber: false, nameless))
        {
            file.Stream.Write("new"u8);
            Assert.Equal("old", File.ReadAllText(Target));
            file.Commit();
        }

        Assert.Equal("new", File.ReadAllText(Target));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Target));
        Assert.Equal([Target], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_log_that_is_being_written_has_no_name_so_that_a_killed_program_leaves_nothing_behind()
    {
        using LogFile file = LogFile.Create(Target);
        file.Stream.Write("half"u8);

        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void Where_it_needs_a_name_others_cannot_read_it_before_it_is_complete_either()
    {
        using LogFile file = LogFile.Create(Target, noClobber: false, startNameless: false);

        string temporary = Assert.Single(Directory.GetFileSystemEntries(_folder));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(temporary));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_log_that_is_given_up_leaves_the_previous_one_and_no_rest(bool nameless)
    {
        File.WriteAllText(Target, "old");
        using (LogFile file = LogFile.Create(Target, noClobber: false, nameless))
        {
            file.Stream.Write("half"u8);
        }

        Assert.Equal("old", File.ReadAllText(Target));
        Assert.Equal([Target], Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public void A_link_is_refused_and_the_file_behind_it_is_untouched()
    {
        string victim = Path.Combine(_folder, "victim");
        File.WriteAllText(victim, "precious");
        File.CreateSymbolicLink(Target, victim);

        AssertRefused(LogFileReason.TargetIsLink, "symbolic link");
        Assert.Equal("precious", File.ReadAllText(victim));
    }

    [Fact]
    public void A_link_that_leads_nowhere_is_refused_too()
    {
        File.CreateSymbolicLink(Target, Path.Combine(_folder, "nowhere"));

        AssertRefused(LogFileReason.TargetIsLink, "symbolic link");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_link_that_appears_while_the_log_is_written_is_not_followed_and_the_log_is_kept_beside_it(bool nameless)
    {
        LogFileException error;
        using (LogFile file = LogFile.Create(Target, noClobber: false, nameless))
        {
            file.Stream.Write("flows"u8);
            File.CreateSymbolicLink(Target, "/etc/passwd");
            error = Assert.Throws<LogFileException>(file.Commit);
        }

        Assert.Equal(LogFileReason.TargetIsLink, error.Reason);
        AssertKept(error, "flows");
        Assert.Equal("/etc/passwd", new FileInfo(Target).LinkTarget);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_log_whose_place_another_user_takes_while_it_is_written_is_kept_beside_it(bool nameless)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Needs root, to give a file to another user.");
        LogFileException error;
        using (LogFile file = LogFile.Create(Target, noClobber: false, nameless))
        {
            file.Stream.Write("flows"u8);
            File.WriteAllText(Target, "theirs");
            using Process chown = Process.Start("chown", ["12345", Target]);
            chown.WaitForExit();
            error = Assert.Throws<LogFileException>(file.Commit);
        }

        Assert.Equal(LogFileReason.ForeignOwner, error.Reason);
        AssertKept(error, "flows");
        Assert.Equal("theirs", File.ReadAllText(Target));
    }

    [Fact]
    public void A_directory_and_a_pipe_are_refused()
    {
        Directory.CreateDirectory(Target);
        AssertRefused(LogFileReason.NotRegular, "not a regular file");
        Directory.Delete(Target);

        using Process mkfifo = Process.Start("mkfifo", [Target]);
        mkfifo.WaitForExit();
        AssertRefused(LogFileReason.NotRegular, "not a regular file");
        Assert.Equal(LogFileReason.NotRegular, Assert.Throws<LogFileException>(() => LogFile.Create("/dev/null")).Reason);
        Assert.Equal(LogFileReason.NotRegular, Assert.Throws<LogFileException>(() => LogFile.Create(_folder + "/")).Reason);
    }

    [Fact]
    public void A_file_of_another_user_is_refused_even_for_root()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Needs root, to give a file to another user.");
        File.WriteAllText(Target, "theirs");
        using Process chown = Process.Start("chown", ["12345", Target]);
        chown.WaitForExit();

        AssertRefused(LogFileReason.ForeignOwner, "12345");
        Assert.Equal("theirs", File.ReadAllText(Target));
    }

    [Fact]
    public void An_existing_log_is_kept_when_it_must_not_be_replaced()
    {
        File.WriteAllText(Target, "old");

        Assert.Equal(LogFileReason.Exists, Assert.Throws<LogFileException>(() => LogFile.Create(Target, noClobber: true)).Reason);
        Assert.Equal("old", File.ReadAllText(Target));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Of_two_writers_that_must_not_replace_the_second_keeps_its_log_beside_the_first(bool nameless)
    {
        LogFileException error;
        using (LogFile first = LogFile.Create(Target, noClobber: true, nameless))
        using (LogFile second = LogFile.Create(Target, noClobber: true, nameless))
        {
            first.Stream.Write("first"u8);
            second.Stream.Write("second"u8);
            first.Commit();
            error = Assert.Throws<LogFileException>(second.Commit);
        }

        Assert.Equal(LogFileReason.Exists, error.Reason);
        AssertKept(error, "second");
        Assert.Equal("first", File.ReadAllText(Target));
    }

    [Fact]
    public void A_missing_directory_is_named_with_what_to_do()
    {
        string path = Path.Combine(_folder, "no", "flows.log");
        LogFileException error = Assert.Throws<LogFileException>(() => LogFile.Create(path));

        Assert.Equal(LogFileReason.MissingDirectory, error.Reason);
        Assert.Equal(path, error.Path);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.Contains("Create the directory", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_place_where_nothing_may_be_written_is_told_as_such()
    {
        Assert.SkipUnless(Directory.Exists("/proc/self"), "Needs /proc.");

        LogFileReason reason = Assert.Throws<LogFileException>(() => LogFile.Create("/proc/self/flows.log")).Reason;
        Assert.Contains(reason, new[] { LogFileReason.Denied, LogFileReason.MissingDirectory });
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_long_name_leaves_room_for_the_temporary_one(bool nameless)
    {
        string path = Path.Combine(_folder, new string('n', 255));
        using (LogFile file = LogFile.Create(path, noClobber: false, nameless))
        {
            file.Stream.Write(Encoding.UTF8.GetBytes(new string('x', 300_000)));
            file.Commit();
        }

        Assert.Equal(300_000, new FileInfo(path).Length);
    }

    // The only other file of the folder: complete, and its owner's alone. The message names it.
    private void AssertKept(LogFileException error, string content)
    {
        string kept = Assert.Single(Directory.GetFileSystemEntries(_folder), entry => entry != Target);
        Assert.Equal(kept, error.KeptPath);
        Assert.Contains(kept, error.Message, StringComparison.Ordinal);
        Assert.Equal(content, File.ReadAllText(kept));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(kept));
    }

    private void AssertRefused(LogFileReason reason, string words)
    {
        string[] before = Directory.GetFileSystemEntries(_folder);
        LogFileException error = Assert.Throws<LogFileException>(() => LogFile.Create(Target));
        Assert.Equal(reason, error.Reason);
        Assert.Contains(Target, error.Message, StringComparison.Ordinal);
        Assert.Contains(words, error.Message, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFileSystemEntries(_folder));
    }
}
