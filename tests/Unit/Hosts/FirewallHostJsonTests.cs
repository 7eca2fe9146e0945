using System.Collections;
using System.Reflection;
using System.Text;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The description of a host in JSON.</summary>
public sealed class FirewallHostJsonTests : IDisposable
{
    // No property has its default.
    private static readonly FirewallHost s_full = new()
    {
        Name = "gate",
        KernelRelease = "6.1.0-é",
        ReadAt = new DateTimeOffset(2026, 1, 31, 12, 30, 0, TimeSpan.FromHours(2)),
        Interfaces =
        [
            new FirewallInterface
            {
                Name = "eth0.10",
                Index = 70,
                Kind = "vlan",
                LinkType = 512,
                Group = uint.MaxValue,
                Mtu = 9000,
                IsUp = false,
                LinkAddress = "02:00:5e:00:53:01",
                Master = "br0",
                AlternativeNames = ["a<b>&\"c"],
                Addresses = ["192.0.2.1/24", "2001:db8::1/64"],
                PeerAddresses = ["", "2001:db8::2/128"],
                MulticastGroups = ["239.1.2.3", "ff05::1:3"],
            },
        ],
        Routes =
        [
            new FirewallRoute
            {
                Destination = "10.0.0.0/8",
                Interface = "eth0.10",
                Gateway = "fe80::1",
                Source = "192.0.2.1",
                Type = "blackhole",
                Table = 4000,
                Metric = 5,
                Protocol = 186,
                Scope = 253,
                IsOnLink = true,
            },
        ],
        RoutingRules =
        [
            new FirewallRoutingRule
            {
                Family = FlowFamily.IPv6,
                Priority = 100,
                Action = "prohibit",
                Table = 7,
                Source = "2001:db8::/32",
                Destination = "::/0",
                InInterface = "a",
                OutInterface = "b",
                Mark = 0,
                MarkMask = 255,
                IsInverted = true,
                SuppressPrefixLength = 0,
            },
        ],
        Settings = new Dictionary<string, string> { ["net.ipv4.ip_forward"] = "1", ["net.ipv4.ip_local_port_range"] = "32768 60999" },
        IpSets = [new FirewallIpSet { Name = "bad", Text = "create bad hash:ip\nadd bad 192.0.2.9\n" }],
        Users = new Dictionary<string, uint> { ["root"] = 0, ["nobody"] = 65534 },
        Groups = new Dictionary<string, uint> { ["wheel"] = uint.MaxValue },
        Notices = ["One sentence."],
    };

    private readonly TempDirectory _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_property_survives_writing_and_reading()
    {
        object[] objects = [s_full, s_full.Interfaces[0], s_full.Routes[0], s_full.RoutingRules[0]];
        Assert.All(objects.SelectMany(PropertiesOf), each =>
            Assert.False(Equals(each.Value, each.Default), $"{each.Name} has its default, and proves nothing"));

        string json = s_full.ToJson();
        FirewallHost read = FirewallHost.FromJson(json);

        Assert.Equal(json, read.ToJson());
        Assert.Equivalent(s_full, read, strict: true);
        foreach (PropertyInfo property in objects.SelectMany(each => each.GetType().GetProperties()))
        {
            Assert.Contains($"\"{property.Name}\": ", json, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void What_a_text_does_not_mention_has_its_usual_value()
    {
        FirewallHost host = FirewallHost.FromJson("""
            // Written by hand.
            { "Interfaces": [ { "Name": "eth0", "Index": 2, "Kind": null }, ],
              "Routes": [ { "Destination": "::/0" } ],
              "RoutingRules": [ { "Family": 4, "Priority": 1, "Table": 9 } ],
              "Settings": { "net.ipv4.ip_forward": 1 } }
            """);
        Assert.Equivalent(new FirewallInterface { Name = "eth0", Index = 2 }, Assert.Single(host.Interfaces), strict: true);
        Assert.Equal(new FirewallRoute { Destination = "::/0" }, Assert.Single(host.Routes));
        Assert.Equal(new FirewallRoutingRule { Family = FlowFamily.IPv4, Priority = 1, Table = 9 }, Assert.Single(host.RoutingRules));
        Assert.Equal("1", host.Settings["net.ipv4.ip_forward"]);
        Assert.Equivalent(new FirewallHost(), FirewallHost.FromJson("{}"), strict: true);
    }

    [Theory]
    [InlineData("", "it is empty.")]
    [InlineData("[]", "an array is not an object.")]
    [InlineData("null", "null is not an object.")]
    [InlineData("{\"Nme\":\"x\"}", "Nme: there is no such property.")]
    [InlineData("{\"Name\":1}", "Name: 1 is not a text.")]
    [InlineData("{\"Name\":\"a\",\"Name\":\"b\"}", "Name: the property is there twice.")]
    [InlineData("{\"Interfaces\":null}", "Interfaces: null is not an array.")]
    [InlineData("{\"Interfaces\":[{}]}", "Interfaces[0]: the property Name is missing.")]
    [InlineData("{\"Interfaces\":[{\"Name\":\"eth0\"}]}", "Interfaces[0]: the property Index is missing.")]
    [InlineData("{\"Interfaces\":[{\"Name\":\"eth0\",\"Index\":1},{\"Name\":\"eth0\",\"Index\":2}]}", "Interfaces: two interfaces have the name 'eth0'.")]
    [InlineData(
        "{\"Interfaces\":[{\"Name\":\"a\",\"Index\":1},{\"Name\":\"b\",\"Index\":1}]}",
        "Interfaces: the interfaces 'a' and 'b' have the same index 1.")]
    [InlineData(
        "{\"Interfaces\":[{\"Name\":\"eth0\\nlink del\",\"Index\":1}]}",
        "Interfaces[0].Name: 'eth0\\nlink del' is not the name of an interface (at most 15 bytes, without spaces, slashes and colons).")]
    [InlineData(
        "{\"Interfaces\":[{\"Name\":\"0123456789abcdef\",\"Index\":1}]}",
        "Interfaces[0].Name: '0123456789abcdef' is not the name of an interface (at most 15 bytes, without spaces, slashes and colons).")]
    [InlineData(
        "{\"Interfaces\":[{\"Name\":\"a\",\"Index\":1,\"Addresses\":[\"10.0.0.300/24\"]}]}",
        "Interfaces[0].Addresses[0]: '10.0.0.300/24' is not an address with its prefix length (192.0.2.1/24, 2001:db8::1/64).")]
    [InlineData(
        "{\"Interfaces\":[{\"Name\":\"a\",\"Index\":1,\"Addresses\":[\"10.0.0.3/33\"]}]}",
        "Interfaces[0].Addresses[0]: '10.0.0.3/33' is not an address with its prefix length (192.0.2.1/24, 2001:db8::1/64).")]
    [InlineData("{\"Interfaces\":[{\"Name\":\"a\",\"Index\":1,\"PeerAddresses\":[\"\"]}]}", "Interfaces[0]: PeerAddresses has 1 elements, and Addresses 0.")]
    [InlineData("{\"Interfaces\":[{\"Name\":\"a\",\"Index\":1,\"LinkType\":70000}]}", "Interfaces[0].LinkType: 70000 is not a whole number from 0 to 65535.")]
    [InlineData(
        "{\"Interfaces\":[{\"Name\":\"a\",\"Index\":1,\"LinkAddress\":\"x\"}]}",
        "Interfaces[0].LinkAddress: 'x' is not a link-layer address (02:00:5e:00:53:01).")]
    [InlineData("{\"Interfaces\":[{\"Name\":\"a\",\"Index\":1,\"IsUp\":\"yes\"}]}", "Interfaces[0].IsUp: 'yes' is not true or false.")]
    [InlineData("{\"Routes\":[{}]}", "Routes[0]: the property Destination is missing.")]
    [InlineData(
        "{\"Routes\":[{\"Destination\":\"::/0\",\"Type\":\"nat\"}]}",
        "Routes[0].Type: 'nat' is not unicast, local, broadcast, anycast, multicast, blackhole, unreachable, prohibit or throw.")]
    [InlineData("{\"Routes\":[{\"Destination\":\"::/0\",\"Gateway\":\"gw\"}]}", "Routes[0].Gateway: 'gw' is not an IPv4 or IPv6 address.")]
    [InlineData("{\"RoutingRules\":[{\"Priority\":1}]}", "RoutingRules[0]: the property Family is missing.")]
    [InlineData("{\"RoutingRules\":[{\"Family\":\"IPv5\"}]}", "RoutingRules[0].Family: 'IPv5' is not IPv4 or IPv6.")]
    [InlineData("{\"RoutingRules\":[{\"Family\":\"IPv4\"}]}", "RoutingRules[0]: the property Table is missing, which the action lookup needs.")]
    [InlineData(
        "{\"Settings\":{\"kernel.core_pattern\":\"x\"}}",
        "Settings.kernel.core_pattern: it is not the name of a setting below net (net.ipv4.ip_forward).")]
    [InlineData("{\"Settings\":{\"net.a\":\"x\\ny\"}}", "Settings.net.a: 'x\\ny' is not the value of a setting, in one line.")]
    [InlineData("{\"IpSets\":[{\"Name\":\"x\"}]}", "IpSets[0]: the property Text is missing.")]
    [InlineData("{\"Users\":{\"a:b\":1}}", "Users.a:b: it is not the name of a user or group.")]
    [InlineData("{\"Users\":{\"a\":-1}}", "Users.a: -1 is not a whole number from 0 to 4294967295.")]
    [InlineData("{\"ReadAt\":\"today\"}", "ReadAt: 'today' is not a time (2026-01-31T12:00:00Z).")]
    public void A_text_that_is_no_description_is_an_error_that_names_the_property(string json, string error)
    {
        ConntrackException thrown = Assert.Throws<ConntrackException>(() => FirewallHost.FromJson(json, "It"));
        Assert.Equal(ConntrackErrorReason.HostDescriptionInvalid, thrown.Reason);
        Assert.Equal((json is "" || json[1] != '"' ? "It: " : "It, ") + error, thrown.Message);
    }

    [Fact]
    public void An_error_names_the_file_and_the_line()
    {
        string path = _folder.File("fw.json");
        File.WriteAllText(path, "{\n  \"Name\": \"gate\",\n  \"Routes\": [\n    { \"Destination\": \"::/0\" },\n    { \"Destination\": \"here\" }\n  ]\n}\n");
        string error = Assert.Throws<ConntrackException>(() => FirewallHost.Load(path)).Message;
        Assert.StartsWith($"'{path}', line 5, Routes[1].Destination: 'here' is not an address", error, StringComparison.Ordinal);

        File.WriteAllText(path, "{\n  \"Name\": \"gate\"\n  \"Routes\": []\n}\n");
        error = Assert.Throws<ConntrackException>(() => FirewallHost.Load(path)).Message;
        Assert.StartsWith($"'{path}', line 3", error, StringComparison.Ordinal);

        File.WriteAllText(path, "{\n}\n]\n");
        error = Assert.Throws<ConntrackException>(() => FirewallHost.Load(path)).Message;
        Assert.StartsWith($"'{path}', line 3: it is not JSON.", error, StringComparison.Ordinal);

        string missing = _folder.File("nosuch.json");
        ConntrackException thrown = Assert.Throws<ConntrackException>(() => FirewallHost.Load(missing));
        Assert.Equal(ConntrackErrorReason.HostDescriptionFailed, thrown.Reason);
        Assert.Contains(missing, thrown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_text_that_is_cut_or_changed_anywhere_is_read_or_refused_with_the_one_error()
    {
        byte[] json = Encoding.UTF8.GetBytes(s_full.ToJson());
        int refused = 0;
        for (int at = 0; at < json.Length; at++)
        {
            foreach (byte change in (byte[])[0x01, 0x20, 0x80, 0xff])
            {
                byte[] changed = [.. json];
                changed[at] ^= change;
                refused += IsRefused(changed);
            }

            refused += IsRefused(json[..at]);
        }

        Assert.True(refused > json.Length * 2, $"{refused}");
    }

    private static int IsRefused(byte[] json)
    {
        try
        {
            Core.Hosts.FirewallHostJson.Read(json, "It");
            return 0;
        }
        catch (ConntrackException error) when (error.Reason == ConntrackErrorReason.HostDescriptionInvalid)
        {
            return 1;
        }
    }

    private static IEnumerable<(string Name, object? Value, object? Default)> PropertiesOf(object value)
    {
        object defaults = value switch
        {
            FirewallHost => new FirewallHost(),
            FirewallInterface => new FirewallInterface { Name = "", Index = 0 },
            FirewallRoute => new FirewallRoute { Destination = "" },
            _ => new FirewallRoutingRule { Family = FlowFamily.None, Priority = 0 },
        };
        return value.GetType().GetProperties().Select(each => (each.Name, Part(each.GetValue(value)), Part(each.GetValue(defaults))));
    }

    private static object? Part(object? value) => value is ICollection list ? list.Count : value;
}
