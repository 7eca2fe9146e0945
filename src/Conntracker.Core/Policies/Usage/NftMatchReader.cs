namespace Conntracker.Core.Policies.Usage;

/// <summary>Reads the conditions of a rule of nftables.</summary>
internal sealed class NftMatchReader(RuleMatch match)
{
    private List<string> _words = [];
    private int _next;
    private bool _logs;

    /// <summary>Reads a rule's text; false when a word is not understood.</summary>
    public bool Read(string text)
    {
        _words = Split(text);
        while (_next < _words.Count)
        {
            if (!ReadStatement(Next()))
            {
                return false;
            }
        }

        return true;
    }

    private bool ReadStatement(string word)
    {
        switch (word)
        {
            case "counter":
                _next += Peek() is "packets" ? 4 : 0;
                return _next <= _words.Count;
            case "log":
                _logs = true;
                while (Peek() is "prefix" or "level" or "group" or "snaplen" or "queue-threshold" or "flags")
                {
                    _next += 2;
                }

                return _next <= _words.Count;
            case "accept" or "drop" or "return" or "continue":
                return _next == _words.Count;
            case "jump" or "goto":
                return Next() is not ("" or "{") && _next == _words.Count;
            case "reject":
                _next = Peek() is "" or "with" ? _words.Count : _next;
                return _next == _words.Count;
            default:
                // A condition behind the log would let fewer packets be logged elsewhere than here.
                return !_logs && ReadMatch(word);
        }
    }

    private bool ReadMatch(string word)
    {
        switch (word)
        {
            case "ip" or "ip6" when Peek() is "saddr" or "daddr":
                SetVersion(word is "ip" ? 4u : 6u);
                return ReadNumbers(Next() is "saddr" ? RuleField.SrcAddress : RuleField.DstAddress, isIPv4: word is "ip");
            case "ip" when Peek() is "protocol":
                _next++;
                SetVersion(4);
                return ReadNumbers(RuleField.Protocol);
            case "meta" when Peek() is "l4proto":
                _next++;
                return ReadNumbers(RuleField.Protocol);
            case "meta" when Peek() is "nfproto":
                _next++;
                return ReadNumbers(RuleField.Version);
            case "tcp" or "udp" or "sctp" or "dccp" or "udplite" when Peek() is "sport" or "dport":
                SetProtocol(word);
                return ReadNumbers(Next() is "sport" ? RuleField.SrcPort : RuleField.DstPort);
            case "icmp" or "icmpv6" when Peek() is "type":
                _next++;
                SetProtocol(word);
                return ReadNumbers(RuleField.IcmpType, isIcmpV6: word is "icmpv6");
            case "ct" when Peek() is "state":
                _next++;
                return ReadNumbers(RuleField.State);
            case "iifname":
                return ReadNames(RuleField.InName);
            case "oifname":
                return ReadNames(RuleField.OutName);
            case "iif":
                return ReadNames(RuleField.InIndex);
            case "oif":
                return ReadNames(RuleField.OutIndex);
            default:
                return false;
        }
    }

    private bool ReadNumbers(RuleField field, bool isIPv4 = false, bool isIcmpV6 = false)
    {
        if (ReadValues(out bool isNegated) is not { } values)
        {
            return false;
        }

        if (values is [['@', ..]])
        {
            match.IsExact = false;
            return true;
        }

        List<(UInt128, UInt128)> ranges = [];
        foreach (string value in values)
        {
            if (RuleValues.Read(field, value, isIcmpV6) is not { } range)
            {
                return false;
            }

            ranges.Add(range);
        }

        NumberRanges numbers = NumberRanges.Of(ranges);
        match.Restrict(field, isNegated ? numbers.Without(RuleValues.All(field, isIPv4)) : numbers);
        return true;
    }

    private bool ReadNames(RuleField field)
    {
        if (ReadValues(out bool isNegated) is not { } values)
        {
            return false;
        }

        if (values is [['@', ..]])
        {
            match.IsExact = false;
            return true;
        }

        // An escaped star belongs to a name.
        return values.All(value => value is ['"', .., '"'] && !value.Contains('\\', StringComparison.Ordinal))
            && match.Restrict(field, new NamePatterns([.. values.Select(value => value.Trim('"'))], isNegated));
    }

    // The values of "x", "{ x, y }", "x,y", "@set", each perhaps behind "!=". Null when it is none of that.
    private List<string>? ReadValues(out bool isNegated)
    {
        isNegated = Peek() is "!=";
        _next += isNegated ? 1 : 0;
        string first = Next();
        if (first is not "{")
        {
            // "established,related" is a mask; behind "!=" it has a meaning of its own.
            return first is "" || IsOperator(first) || IsOperator(Peek()) || (isNegated && first.Contains(',', StringComparison.Ordinal))
                ? null
                : [.. first.Split(',')];
        }

        List<string> values = [];
        while (Next() is not ("" or "}") and string word)
        {
            // Only "x," and the last "x": what has more words is a map, a timeout or a concatenation.
            values.Add(word.TrimEnd(','));
            if (!word.EndsWith(',') && Peek() is not "}")
            {
                return null;
            }
        }

        return values.Count > 0 && _words[_next - 1] is "}" ? values : null;
    }

    private static bool IsOperator(string word) => word is "." or "map" or "vmap" or "&" or "|" or "^" or "==" or "<" or ">" or "<=" or ">=" or "set";

    private void SetVersion(uint version) => match.Restrict(RuleField.Version, NumberRanges.Of(version, version));

    private void SetProtocol(string name)
    {
        (UInt128 first, UInt128 last) = RuleValues.Read(RuleField.Protocol, name, isIcmpV6: false)!.Value;
        match.Restrict(RuleField.Protocol, NumberRanges.Of(first, last));
    }

    private string Peek() => _next < _words.Count ? _words[_next] : "";

    private string Next() => _next < _words.Count ? _words[_next++] : "";

    // A quote has a meaning only at the beginning of a word, and nft escapes nothing in a string.
    private static List<string> Split(string text)
    {
        List<string> words = [];
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
            end = isString && end < text.Length && text[end] == ',' ? end + 1 : end;
            words.Add(text[at..end]);
            at = end;
        }

        return words;
    }
}
