using System.Management.Automation;
using Conntracker.Tests.Module.Support;
using Xunit;

namespace Conntracker.Tests.Module;

/// <summary>Get-FirewallHost.</summary>
public sealed class GetFirewallHostTests : ModuleTest
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("conntracker-test-");

    public GetFirewallHostTests() => Engine.Set("folder", _folder.FullName);

    [Fact]
    public void It_describes_the_host_of_this_process_without_privileges()
    {
        ToolResult result = OtherPowerShell.RunUnprivileged("""
            $fw = Get-FirewallHost -WarningAction Ignore
            $fw.GetType().FullName; $fw.Interfaces[0].Name; $fw.Settings['net.ipv4.ip_forward']; $fw.Users['root']
            """);
        Assert.True(result.ExitCode == 0, result.Error);
        Assert.Equal(["Conntracker.FirewallHost", "lo", File.ReadAllText("/proc/sys/net/ipv4/ip_forward").Trim(), "0"], result.Lines);
    }

    [Fact]
    public void It_describes_a_network_namespace()
    {
        using TestNamespace host = new();
        host.Run("ip", "link", "add", "here0", "type", "bridge");
        host.Run("ip", "addr", "add", "192.0.2.1/24", "dev", "here0");
        Engine.Set("name", host.Name);

        Assert.Equal(["lo", "here0"], Engine.Lines("$fw = Get-FirewallHost -NetworkNamespace $name -WarningAction Ignore; $fw.Interfaces.Name"));
        Assert.Equal("192.0.2.1/24", Engine.Line("$fw.Interfaces[1].Addresses"));
        Engine.Fail("Get-FirewallHost -NetworkNamespace nosuch", "NetworkNamespaceNotFound", ErrorCategory.ObjectNotFound);
    }

    [Fact]
    public void A_description_survives_Export_Clixml_and_becomes_a_typed_object_again()
    {
        Engine.Lines("""
            $fw = Get-FirewallHost -WarningAction Ignore
            [System.IO.File]::WriteAllText("$folder/fw.xml", [System.Management.Automation.PSSerializer]::Serialize($fw))
            """);
        Assert.Equal(
            ["Conntracker.FirewallHost", "True"],
            Engine.Lines("$read = Get-FirewallHost -Path $folder/fw.xml; $read.GetType().FullName; $read.ToJson() -ceq $fw.ToJson()"));
    }

    [Fact]
    public void A_description_in_JSON_becomes_the_same_object()
    {
        Engine.Lines("$fw = Get-FirewallHost -WarningAction Ignore; [System.IO.File]::WriteAllText(\"$folder/fw.json\", $fw.ToJson())");
        Assert.Equal("True", Engine.Line("(Get-FirewallHost -Path $folder/*.json).ToJson() -ceq $fw.ToJson()"));
        Assert.Equal("True", Engine.Line("(\"$folder/fw.json\" | Get-FirewallHost).ToJson() -ceq $fw.ToJson()"));
    }

    [Fact]
    public void A_file_that_is_no_description_is_an_error_that_says_where()
    {
        File.WriteAllText(Path.Join(_folder.FullName, "bad.json"), "{\n  \"Interfaces\": [\n    { \"Name\": \"eth0\", \"Index\": 0 }\n  ]\n}\n");
        Engine.Lines("""
            $xml = [System.Management.Automation.PSSerializer]::Serialize([pscustomobject]@{ Name = 'x'; Wrong = 1 })
            [System.IO.File]::WriteAllText("$folder/flow.xml", $xml)
            """);
        File.WriteAllText(Path.Join(_folder.FullName, "half.xml"), "<Objs Version=\"1.1.0.1\"");

        ErrorRecord error = Engine.Fail("Get-FirewallHost -Path $folder/bad.json", "HostDescriptionInvalid", ErrorCategory.InvalidData);
        Assert.Equal($"'{_folder.FullName}/bad.json', line 3, Interfaces[0].Index: 0 is not a whole number from 1 to 2147483647.", error.Exception.Message);
        error = Engine.Fail("Get-FirewallHost -Path $folder/flow.xml", "HostDescriptionInvalid", ErrorCategory.InvalidData);
        Assert.Equal($"'{_folder.FullName}/flow.xml', Wrong: there is no such property.", error.Exception.Message);
        Engine.Fail("Get-FirewallHost -Path $folder/half.xml", "HostDescriptionInvalid", ErrorCategory.InvalidData);
        Engine.Fail("Get-FirewallHost -Path $folder/nosuch.json", "HostDescriptionNotFound", ErrorCategory.ObjectNotFound);
        Engine.Fail("Get-FirewallHost -Path $folder", "HostDescriptionFailed", ErrorCategory.OpenError);
    }

    [Fact]
    public void What_could_not_be_read_is_a_warning()
    {
        using TestNamespace host = new();
        host.Run("ip", "rule", "add", "pref", "77", "ipproto", "tcp", "dport", "22", "table", "100");
        Engine.Set("name", host.Name);

        Answer answer = Engine.Run("Get-FirewallHost -NetworkNamespace $name");

        Assert.Contains(answer.Warnings, each => each.Contains("77 (IPv4)", StringComparison.Ordinal));
        Assert.Equal(answer.Warnings, ((IEnumerable<string>)Assert.Single(answer.Output).Properties["Notices"].Value));
    }

    [Fact]
    public void A_host_and_its_parts_are_shown_as_tables()
    {
        File.WriteAllText(Path.Join(_folder.FullName, "fw.json"), """
            {
              "Name": "gate", "KernelRelease": "6.1.0",
              "Interfaces": [ { "Name": "eth0", "Index": 2, "Addresses": [ "192.0.2.1/24", "2001:db8::1/64" ] } ],
              "Routes": [ { "Destination": "0.0.0.0/0", "Gateway": "192.0.2.254", "Interface": "eth0" } ],
              "RoutingRules": [ { "Family": "IPv4", "Priority": 100, "Table": 51820, "Mark": 51820, "IsInverted": true } ],
              "IpSets": [ { "Name": "bad", "Text": "create bad hash:ip family inet\nadd bad 198.51.100.1\nadd bad 198.51.100.2\n" } ]
            }
            """);
        Engine.Lines("$fw = Get-FirewallHost -Path $folder/fw.json");

        Assert.Matches(@"^gate +6\.1\.0 +1 +1 +1 +0 +1 +0$", Engine.Show("$fw")[^1]);
        Assert.Matches(@"^ +2 eth0 +True +192\.0\.2\.1/24, 2001:db8::1/64$", Engine.Show("$fw.Interfaces")[^1]);
        Assert.Matches(@"^unicast +0\.0\.0\.0/0 +192\.0\.2\.254 +eth0 +254 +0$", Engine.Show("$fw.Routes")[^1]);
        Assert.Matches(@"^IPv4 +100 not mark 0xca6c/0xffffffff +lookup +51820$", Engine.Show("$fw.RoutingRules")[^1]);
        Assert.Matches(@"^bad +2 hash:ip$", Engine.Show("$fw.IpSets")[^1]);
    }

    protected override void Dispose(bool disposing)
    {
        base.Dispose(disposing);
        if (disposing)
        {
            _folder.Delete(recursive: true);
        }
    }
}
