using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

public sealed class ProgressTextTests
{
    [Theory]
    [InlineData("capturing flows in the current network namespace. Ctrl+C or SIGTERM ends it. The log goes to '/tmp/conntracker.log'.")]
    [InlineData("capturing flows in the network namespace 'blue'. Ctrl+C or SIGTERM ends it. The log goes to standard output.", "--netns", "blue", "-o", "-")]
    [InlineData(
        "capturing flows in the current network namespace. "
        + "It ends after 60 s, or earlier with Ctrl+C or SIGTERM. The log goes to 'a.log'.", "--duration", "60", "-o", "a.log")]
    [InlineData(
        "capturing packets of all interfaces in the current network namespace. "
        + "It ends after 0.5 s, or earlier with Ctrl+C or SIGTERM. The log goes to 'a'.", "-i", "any", "--duration", "0.5", "-o", "a")]
    [InlineData(
        "capturing packets of the interface 'eth0' in the network namespace 'blue'. "
        + "Ctrl+C or SIGTERM ends it. The log goes to 'a'.", "-i", "eth0", "--netns", "blue", "-o", "a")]
    [InlineData(
        "reading packets from 'monday.pcap'. "
        + "It ends with the file, or earlier with Ctrl+C or SIGTERM. The log goes to 'a'.", "--pcap", "monday.pcap", "-o", "a")]
    [InlineData("capturing flows in the current network namespace. Ctrl+C or SIGTERM ends it. The tree is in 'flows'; no log is written.", "--tree", "flows")]
    [InlineData(
        "capturing flows in the current network namespace. "
        + "Ctrl+C or SIGTERM ends it. The log goes to standard output, the tree is in 'flows'.", "--tree", "flows", "-o", "-")]
    public void The_beginning_says_what_is_captured_how_it_ends_and_where_the_flows_go(string expected, params string[] arguments) =>
        Assert.Equal(expected, ProgressText.Begun(TestCommandLine.Read(arguments)));

    [Theory]
    [InlineData(0, "a.log", "wrote the log of 0 flows to 'a.log'.")]
    [InlineData(1, "a.log", "wrote the log of 1 flow to 'a.log'.")]
    [InlineData(2, "-", "wrote the log of 2 flows to standard output.")]
    [InlineData(1_000_000, "./-", "wrote the log of 1000000 flows to './-'.")]
    public void A_written_log_is_named_with_the_number_of_its_flows(long flows, string output, string expected) =>
        Assert.Equal(expected, ProgressText.Written(flows, output));
}
