using System.Net;
using Xunit;

namespace Conntracker.Tests.Unit;

public class AddressAndPortRangeTests
{
    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7", "192.0.2.8")]
    [InlineData("10.0.0.0/8", "10.255.255.255", "11.0.0.0")]
    [InlineData("10.1.2.3/8", "10.0.0.0", "9.255.255.255")]
    [InlineData("192.0.2.128/25", "192.0.2.128", "192.0.2.127")]
    [InlineData("192.0.2.7/32", "192.0.2.7", "192.0.2.6")]
    [InlineData("0.0.0.0/0", "255.255.255.255", "::1")]
    [InlineData("::/0", "ffff::", "0.0.0.0")]
    [InlineData("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::")]
    [InlineData("2001:db8::/65", "2001:db8::7fff:0:0:0", "2001:db8::8000:0:0:0")]
    [InlineData("2001:db8::1/128", "2001:db8::1", "2001:db8::2")]
    [InlineData("::ffff:192.0.2.7", "::ffff:192.0.2.7", "192.0.2.7")]
    public void A_range_holds_its_addresses_and_no_others(string text, string inside, string outside)
    {
        AddressRange range = AddressRange.Parse(text);
        Assert.True(range.Contains(IPAddress.Parse(inside)));
        Assert.False(range.Contains(IPAddress.Parse(outside)));
    }

    [Theory]
    [InlineData("192.0.2.7", "192.0.2.7")]
    [InlineData("192.0.2.7/32", "192.0.2.7")]
    [InlineData("10.1.2.3/8", "10.0.0.0/8")]
    [InlineData("2001:DB8:0:0::1/32", "2001:db8::/32")]
    [InlineData("::/0", "::/0")]
    public void A_range_is_written_as_it_is_read(string text, string expected) => Assert.Equal(expected, AddressRange.Parse(text).ToString());

    [Fact]
    public void An_address_object_is_a_range_of_one()
    {
        Assert.True(new AddressRange(IPAddress.Parse("2001:db8::1")).Contains(IPAddress.Parse("2001:db8::1")));
        Assert.False(new AddressRange(IPAddress.Parse("2001:db8::1")).Contains(IPAddress.Parse("2001:db8::2")));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/8")]
    [InlineData("10.0.0.0/")]
    [InlineData("10.0.0.0/33")]
    [InlineData("::/129")]
    [InlineData("10.0.0.0/-1")]
    [InlineData("10.0.0.0/+8")]
    [InlineData("10.0.0.0/8/8")]
    [InlineData("10.0.0.0/255.0.0.0")]
    [InlineData("10.1")]
    [InlineData("167772161")]
    [InlineData("0x0a.0.0.1")]
    [InlineData("010.0.0.1")]
    [InlineData("256.0.0.1")]
    [InlineData("[2001:db8::1]")]
    [InlineData("[2001:db8::1]:443")]
    [InlineData("example.org")]
    public void What_is_no_address_is_refused_in_words_that_help(string text)
    {
        Assert.False(AddressRange.TryParse(text, out _));
        FormatException error = Assert.Throws<FormatException>(() => AddressRange.Parse(text));
        Assert.Contains($"'{text}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("10.0.0.0/8", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("443", 443, 443, "443")]
    [InlineData("0", 0, 0, "0")]
    [InlineData("8000-8999", 8000, 8999, "8000-8999")]
    [InlineData("1 - 65535", 1, 65535, "1-65535")]
    [InlineData("80-80", 80, 80, "80")]
    public void A_range_of_ports_is_read_and_written(string text, int first, int last, string written)
    {
        PortRange range = PortRange.Parse(text);
        Assert.Equal((first, last, written), (range.First, range.Last, range.ToString()));
        Assert.True(range.Contains(first) && range.Contains(last) && !range.Contains(first - 1) && !range.Contains(last + 1));
    }

    [Theory]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("-80")]
    [InlineData("80-")]
    [InlineData("90-80")]
    [InlineData("80-90-100")]
    [InlineData("65536")]
    [InlineData("99999999999")]
    [InlineData("+80")]
    [InlineData("http")]
    [InlineData("80,443")]
    public void What_is_no_port_is_refused_in_words_that_help(string text)
    {
        Assert.False(PortRange.TryParse(text, out _));
        FormatException error = Assert.Throws<FormatException>(() => PortRange.Parse(text));
        Assert.Contains($"'{text}'", error.Message, StringComparison.Ordinal);
        Assert.Contains("8000-8999", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1, 5)]
    [InlineData(5, 65536)]
    [InlineData(6, 5)]
    public void A_range_of_ports_cannot_be_made_of_other_numbers(int first, int last) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new PortRange(first, last));

    [Fact]
    public void Nothing_is_neither_an_address_nor_a_port() =>
        Assert.False(AddressRange.TryParse(null, out _) || PortRange.TryParse(null, out _));
}
