using System.Diagnostics;
using Conntracker.Core.Captures;
using Conntracker.Core.Feeds;
using Conntracker.Core.KernelSettings;
using Conntracker.Core.Recording;
using Conntracker.Core.Rulesets;
using Xunit;
using static Conntracker.Core.Native.NftablesConstants;

namespace Conntracker.Tests.Unit;

/// <summary>What is ours and what is the user's: a mistake hides a user's rule from traces, or removes a table that is in use.</summary>
public class ConntrackerTableTests
{
    [Theory]
    [InlineData(NFPROTO_INET, "conntracker", true)]
    [InlineData(NFPROTO_INET, "conntracker_2", true)]
    [InlineData(NFPROTO_INET, "conntracker_64", true)]
    [InlineData(NFPROTO_INET, "conntracker_", false)]
    [InlineData(NFPROTO_INET, "conntracker_x", false)]
    [InlineData(NFPROTO_INET, "conntracker2", false)]
    [InlineData(NFPROTO_INET, "conntrackers", false)]
    [InlineData(NFPROTO_INET, "my_conntracker", false)]
    [InlineData(NFPROTO_IPV4, "conntracker", false)]
    [InlineData(NFPROTO_INET, "", false)]
    [InlineData(NFPROTO_INET, "conntracker_18446744073709551616", true)]
    public void Only_our_own_names_are_ours_in_messages_and_in_texts(byte family, string table, bool expected)
    {
        Assert.Equal(expected, OwnTable.HasOwnName(family, System.Text.Encoding.UTF8.GetBytes(table)));
        Assert.Equal(expected, OwnTable.HasOwnName(NftFamily.NameOf(family), table));
    }

    [Fact]
    public void A_process_that_runs_is_not_gone_and_one_with_its_number_but_another_start_is()
    {
        Assert.False(ProcessIdentity.IsGone(ProcessIdentity.Own));
        Assert.True(ProcessIdentity.IsGone(ProcessIdentity.Own + "1"));
        using Process process = Process.Start("/bin/true");
        process.WaitForExit();
        Assert.True(ProcessIdentity.IsGone($"{ProcessIdentity.Prefix}{process.Id} of 5"));
        Assert.NotNull(ProcessIdentity.StartOf(Environment.ProcessId));
        Assert.Null(ProcessIdentity.StartOf(process.Id));
    }

    [Theory]
    [InlineData("1 (a) S 1 1 1 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 98765 1 2 3", 98765L)]
    [InlineData("1 (a) b (c) S 1 1 1 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 98765 1 2 3", 98765L)]
    [InlineData("1 (a) S 1 1 1 0 -1 4194560 1 0 0 0 1 2 3 4 20 0 1 0 -1 1 2 3", null)]
    [InlineData("1 (a) S 1 1", null)]
    [InlineData("1 (a)", null)]
    [InlineData("", null)]
    public void A_start_is_read_behind_the_name_and_is_missing_where_the_text_breaks_off(string stat, long? start) =>
        Assert.Equal(start, ProcessIdentity.StartIn(stat));

    [Theory]
    [InlineData("")]
    [InlineData("conntracker process ")]
    [InlineData("conntracker process 1 of")]
    [InlineData("conntracker process x of 5")]
    [InlineData("conntracker process 1 of -5")]
    [InlineData("conntracker process 99999999999 of 5")]
    [InlineData("my comment 999999 of 5")]
    public void What_names_no_process_is_never_taken_for_left_behind(string name) => Assert.False(ProcessIdentity.IsGone(name));

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 1)]
    [InlineData(1 << 18, 1)]
    [InlineData((1 << 18) + 1, 2)]
    [InlineData(700_000, 3)]
    public void A_ruleset_of_any_length_is_recorded_whole(int length, int parts)
    {
        // Two bytes a character, so that a part ends within one.
        string text = length == 0 ? "" : new string('ä', length / 2) + (length % 2 == 0 ? "" : "x");
        using FlowCollector collector = new(CaptureOptions.MinimumOfMaximumFlows, []);
        using TempDirectory folder = new();
        string file = folder.File("rules.ctrec");
        using (RecordingWriter writer = RecordingWriter.Create(file, 1, "6.18"))
        {
            MessageSink sink = new(collector, writer);
            RulesetMessages.PutRequest(sink, RulesetKind.Iptables, 1);
            RulesetMessages.Put(sink, RulesetKind.Iptables, 1, text);
            writer.Finish(2);
        }

        List<Frame> frames = Fixture.Frames(file).FindAll(each => each.Kind == MessageKind.IptablesRuleset);
        Assert.Equal(parts, frames.Count);
        Assert.Equal([.. Enumerable.Repeat((byte)0, parts - 1), 1], frames.Select(each => each.Data[0]));
        Assert.Equal(text, System.Text.Encoding.UTF8.GetString([.. frames.SelectMany(each => each.Data[1..])]));
        Assert.True(collector.Tracing.Rules.IsCurrent(RulesetKind.Iptables));
    }
}
