using Conntracker.Core.Hosts;
using Conntracker.Core.Netlink;

namespace Conntracker.Tests.Unit;

/// <summary>What a real kernel said of a network namespace (Fixtures/hosts/make-host.sh has the commands that made it).</summary>
internal static class HostFixture
{
    private static readonly byte[] s_bytes = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Fixtures", "hosts", "host.bin"));

    /// <summary>Each message, with its header.</summary>
    public static List<byte[]> Messages()
    {
        List<byte[]> messages = [];
        for (int start = 0; start < s_bytes.Length;)
        {
            int length = BitConverter.ToInt32(s_bytes, start);
            messages.Add(s_bytes[start..(start + length)]);
            start += NetlinkAlignment.Align(length);
        }

        return messages;
    }

    /// <summary>What a decoder makes of all messages; each must be decoded or ignored.</summary>
    public static List<T> Decode<T>(MessageDecoder<T> decode)
    {
        List<T> found = [];
        foreach (byte[] bytes in Messages())
        {
            DecodeResult result = Decode(bytes, decode, out T? one);
            if (result == DecodeResult.Decoded)
            {
                found.Add(one!);
            }
            else
            {
                Xunit.Assert.Equal(DecodeResult.Ignored, result);
            }
        }

        return found;
    }

    /// <summary>What a decoder makes of one message; malformed when its length is wrong.</summary>
    public static DecodeResult Decode<T>(ReadOnlySpan<byte> bytes, MessageDecoder<T> decode, out T? found)
    {
        found = default;
        NetlinkMessageReader reader = new(bytes);
        return reader.TryRead(out NetlinkMessage message) ? decode(in message, out found) : DecodeResult.Malformed;
    }

    /// <summary>The interfaces.</summary>
    public static List<FirewallInterface> Interfaces() =>
        Decode((in NetlinkMessage message, out FirewallInterface? one) => InterfaceDecoder.Decode(in message, out one, out _));

    /// <summary>The names of the interfaces by their indexes.</summary>
    public static Dictionary<int, string> Names() => Interfaces().ToDictionary(each => each.Index, each => each.Name);
}
