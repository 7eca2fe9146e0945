using System.Collections;
using System.Globalization;
using Conntracker.Cli;
using Xunit;

namespace Conntracker.Tests.Cli;

/// <summary>What valid command lines request: the option's own effect, and nothing else.</summary>
public sealed class RunOptionsTests
{
    [Fact]
    public void Without_arguments_there_are_the_documented_defaults()
    {
        RunOptions options = TestCommandLine.Read();
        CaptureOptions capture = options.Capture;
        Assert.Equal(
            ("/tmp/conntracker.log", LogFormat.Text, LogStyle.V3, false, false, null),
            (options.Output, options.Format, options.Style, options.Stats, options.Quiet, options.TreePath));
        Assert.Equal(
            (CaptureSource.Conntrack, TraceMode.None, TimeSpan.FromSeconds(30), 1_000_000, 64 << 20, null),
            (capture.Source, capture.Trace, capture.TraceDuration, capture.MaximumFlows, capture.BufferSize, capture.Duration));
        Assert.Equal((InternetFolding.Both, false, 1_000_000), (options.Tree.FoldInternet, options.Tree.SkipElse, options.Tree.MaximumEntries));
    }

    [Theory]
    [InlineData("", "-f")]
    [InlineData("", "--foreground")]
    [InlineData("", "-c")]
    [InlineData("", "--conntrack-only", "-t", "-e")]
    [InlineData("Capture.Trace=Flows", "-t")]
    [InlineData("Capture.Trace=Flows", "--trace")]
    [InlineData("Capture.Trace=Everything", "-t", "-e")]
    [InlineData("Capture.Trace=Everything", "-tef")]
    [InlineData("Capture.Trace=Everything", "--everything", "--trace")]
    [InlineData("Capture.Trace=Flows Capture.TraceDuration=00:00:01", "-t", "--trace-duration", "1")]
    [InlineData("Capture.Trace=Flows Capture.TraceDuration=1.00:00:00", "-t", "--trace-duration=86400")]
    [InlineData("Output=a.log", "-o", "a.log")]
    [InlineData("Output=-", "--output", "-")]
    [InlineData("Output=@a", "-o", "@a")]
    [InlineData("Style=V1", "--style", "v1")]
    [InlineData("Style=V2", "--style", "V2")]
    [InlineData("", "--style", "v3", "--format", "text")]
    [InlineData("Format=Json", "--format", "json")]
    [InlineData("Format=JsonLines", "--format", "JSONLINES")]
    [InlineData("Format=Csv", "--format", "csv")]
    [InlineData("Capture.Duration=00:01:00", "--duration", "60")]
    [InlineData("Capture.Duration=00:00:00.2500000", "--duration", "0.25")]
    [InlineData("Capture.NetworkNamespace=blue", "--netns", "blue")]
    [InlineData("Capture.Accounting=True", "--accounting")]
    [InlineData("Capture.KeepTracking=True", "--keep-tracking")]
    [InlineData("Capture.ResolveProcess=True", "-b")]
    [InlineData("Capture.ResolveProcess=True", "--resolve-process")]
    [InlineData("Capture.BufferSize=4096", "--buffer-size", "4096")]
    [InlineData("Capture.BufferSize=1073741824", "--buffer-size", "1G")]
    [InlineData("Capture.MaximumFlows=1024 Tree.MaximumEntries=1024", "--max-flows", "1024")]
    [InlineData("Capture.MaximumFlows=100000000 Tree.MaximumEntries=100000000", "--max-flows", "100000000")]
    [InlineData("Capture.RecordPath=a.rec", "--record", "a.rec")]
    [InlineData("Capture.ReplayPath=a.rec", "--replay", "a.rec")]
    [InlineData("Capture.ReplayPath=a.rec Capture.IncomingUdpPorts=53", "--replay", "a.rec", "--incoming-udp", "53")]
    [InlineData("Capture.ReplayPath=a.rec Capture.LocalAddresses=10.0.0.0/8", "--replay", "a.rec", "--local", "10.0.0.0/8")]
    [InlineData("Stats=True", "--stats")]
    [InlineData("Quiet=True", "-q")]
    [InlineData("Quiet=True", "--quiet")]
    [InlineData("Capture.Source=Packet Capture.Interface=eth0", "-i", "eth0")]
    [InlineData("Capture.Source=Packet Capture.Interface=any", "--interface=any")]
    [InlineData("Capture.Source=Packet Capture.PcapPath=a.pcap", "--pcap", "a.pcap")]
    [InlineData("Capture.Source=Packet Capture.Interface=lo Capture.Filter=tcp|port|443", "-i", "lo", "--filter", "tcp port 443")]
    [InlineData("Capture.Source=Packet Capture.PcapPath=a Capture.Filter=tcp Capture.RecordPath=b", "--pcap", "a", "--filter", "tcp", "--record", "b")]
    [InlineData("Capture.Source=Packet Capture.Interface=lo Capture.IncomingUdpPorts=1,65535", "-i", "lo", "--incoming-udp", "1", "--incoming-udp", "65535")]
    [InlineData("Capture.LocalAddresses=192.0.2.7,2001:db8::/32", "--local", "192.0.2.7", "--local", "2001:db8::/32")]
    [InlineData("TreePath=flows Output=", "--tree", "flows")]
    [InlineData("TreePath=flows", "--tree", "flows", "-o", "/tmp/conntracker.log")]
    [InlineData("TreePath=flows Output=a Format=Json", "--tree", "flows", "-o", "a", "--format", "json")]
    [InlineData("TreePath=flows Output= Tree.SkipElse=True", "--tree", "flows", "--skip-else")]
    [InlineData("TreePath=flows Output= Tree.FoldInternet=In", "--tree", "flows", "--fold-internet", "in")]
    [InlineData("TreePath=flows Output= Tree.FoldInternet=Out", "--tree", "flows", "--fold-internet", "OUT")]
    [InlineData("TreePath=flows Output= Tree.FoldInternet=None", "--tree", "flows", "--fold-internet", "none")]
    public void An_option_sets_what_it_is_for_and_nothing_else(string expected, params string[] arguments)
    {
        Dictionary<string, string> defaults = Describe("", TestCommandLine.Read());
        IEnumerable<string> changed = Describe("", TestCommandLine.Read(arguments))
            .Where(each => each.Value != defaults[each.Key]).Select(each => $"{each.Key}={each.Value}");
        Assert.Equal(expected.Split(' ', StringSplitOptions.RemoveEmptyEntries).Order(StringComparer.Ordinal), changed.Order(StringComparer.Ordinal));
    }

    // Each public property as text; those of the capture and of the tree one by one. A space in a value is written as |.
    private static Dictionary<string, string> Describe(string prefix, object options)
    {
        Dictionary<string, string> found = [];
        foreach (System.Reflection.PropertyInfo property in options.GetType().GetProperties().Where(each => !each.GetMethod!.IsStatic))
        {
            object? value = property.GetValue(options);
            if (property.Name is nameof(RunOptions.Capture) or nameof(RunOptions.Tree))
            {
                foreach ((string name, string text) in Describe(property.Name + ".", value!))
                {
                    found.Add(name, text);
                }
            }
            else
            {
                found.Add(prefix + property.Name, TextOf(value).Replace(' ', '|'));
            }
        }

        return found;
    }

    private static string TextOf(object? value) => value switch
    {
        string text => text,
        IEnumerable list => string.Join(",", list.Cast<object>()),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture) ?? "",
    };
}
