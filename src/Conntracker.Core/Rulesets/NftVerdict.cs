namespace Conntracker.Core.Rulesets;

/// <summary>What a rule of nftables does to a packet, as its text shows it.</summary>
internal static class NftVerdict
{
    /// <summary>
    /// The verdict: <c>accept</c>, <c>drop</c>, <c>reject</c>, <c>queue</c>, <c>return</c>, <c>jump CHAIN</c>, <c>goto CHAIN</c> or <c>continue</c>.
    /// </summary>
    /// <returns>
    /// <c>jump</c> or <c>goto</c> alone for a chain in braces. Null when the text does not show it: a verdict map, or a statement that takes the packet.
    /// </returns>
    public static string? Of(NftRule rule)
    {
        if (rule.Rejects)
        {
            return "reject";
        }

        List<string> words = TopLevelWords(rule.Text);
        string last = words.Count > 0 ? words[^1] : "";
        string before = words.Count > 1 ? words[^2] : "";
        if (before is "jump" or "goto")
        {
            return last is "{" ? before : $"{before} {last}";
        }

        // nft prints the verdict last; only statements that end the chain with words of their own follow here.
        string? verdict = last is "accept" or "drop" or "return" or "continue" ? last : "continue";
        for (int i = 0; i < words.Count && verdict is "continue"; i++)
        {
            string previous = i == 0 ? "" : words[i - 1];
            string next = i + 1 < words.Count ? words[i + 1] : "";
            verdict = words[i] switch
            {
                "queue" when next is "" or "num" or "to" or "flags" => "queue",
                "vmap" when next is "{" || next.StartsWith('@') => null,
                "synproxy" or "fwd" when previous is not "name" && next is "" or "to" or "mss" or "wscale" or "ip" or "ip6" or "name" => null,

                // The kernel ends the chain after NAT as after accept; "ct status dnat" and "icmp type redirect" are matches.
                "dnat" or "snat" when next is "to" or "ip" or "ip6" or "prefix" => "accept",
                "masquerade" or "redirect" when previous is not ("type" or "!=") && (next is "" or "to" || IsNatFlags(next)) => "accept",
                "target" when previous is "xt" => IptablesVerdict.Of(next.Trim('"'), isGoto: false, isChain: false),
                _ => verdict,
            };
        }

        return verdict;
    }

    private static bool IsNatFlags(string word) => word.Split(',').All(flag => flag is "random" or "fully-random" or "persistent");

    // The words outside strings and braces. A brace that opens is a word, what is in it and the one that closes are not. Quotes and braces have a
    // meaning only at the beginning of a word, as in NftStatementReader.
    private static List<string> TopLevelWords(string text)
    {
        List<string> words = [];
        int depth = 0;
        int at = 0;
        while (at < text.Length)
        {
            if (text[at] == ' ')
            {
                at++;
                continue;
            }

            bool isString = text[at] == '"';
            int end = text.IndexOf(isString ? '"' : ' ', at + 1);
            end = end < 0 ? text.Length : isString ? end + 1 : end;
            ReadOnlySpan<char> word = text.AsSpan(at, end - at);
            bool isClosing = word is "}" or "}," or "};" && depth > 0;
            if (depth == 0 && !isClosing)
            {
                words.Add(word.ToString());
            }

            depth += word is "{" ? 1 : isClosing ? -1 : 0;
            at = end;
        }

        return words;
    }
}
