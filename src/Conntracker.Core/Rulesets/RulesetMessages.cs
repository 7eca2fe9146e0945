using System.Text;
using Conntracker.Core.Feeds;
using Conntracker.Core.Recording;

namespace Conntracker.Core.Rulesets;

/// <summary>Puts the text of a ruleset into a sink, in parts that fit a frame of a recording.</summary>
internal static class RulesetMessages
{
    private const int PartLength = 1 << 18;

    /// <summary>Records that a text was requested.</summary>
    public static void PutRequest(MessageSink sink, RulesetKind kind, long time) => sink.Put(MessageKind.RulesetRequested, time, [(byte)kind]);

    /// <summary>Puts a text.</summary>
    public static void Put(MessageSink sink, RulesetKind kind, long time, string text)
    {
        MessageKind frame = kind switch
        {
            RulesetKind.Nftables => MessageKind.NftablesRuleset,
            RulesetKind.Iptables => MessageKind.IptablesRuleset,
            _ => MessageKind.Ip6tablesRuleset,
        };
        byte[] part = new byte[PartLength + 1];
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        int position = 0;
        do
        {
            int length = Math.Min(PartLength, bytes.Length - position);
            part[0] = position + length == bytes.Length ? (byte)1 : (byte)0;
            bytes.AsSpan(position, length).CopyTo(part.AsSpan(1));
            sink.Put(frame, time, part.AsSpan(0, length + 1));
            position += length;
        }
        while (position < bytes.Length);
    }
}
