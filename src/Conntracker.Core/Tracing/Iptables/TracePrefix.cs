using System.Buffers.Text;

namespace Conntracker.Core.Tracing.Iptables;

/// <summary>
/// Reads the log prefix that x_tables gives a traced packet: <c>TRACE: table:chain:rule|policy|return:position</c> and a space. A chain's name may
/// contain colons, the other parts cannot.
/// </summary>
internal static class TracePrefix
{
    /// <summary>The beginning of the prefix.</summary>
    public static ReadOnlySpan<byte> Start => "TRACE: "u8;

    /// <summary>Reads a prefix into a line's table, chain, type and position.</summary>
    /// <returns>False for another prefix: a rule of the user may log to the same place.</returns>
    public static bool TryRead(ReadOnlySpan<byte> prefix, ref IptablesTraceLine line)
    {
        if (!prefix.StartsWith(Start))
        {
            return false;
        }

        ReadOnlySpan<byte> rest = prefix[Start.Length..].TrimEnd((byte)' ');
        return TryCutLast(ref rest, out ReadOnlySpan<byte> position)
            && TryCutLast(ref rest, out ReadOnlySpan<byte> type)
            && TryReadTable(rest, ref line)
            && TryReadType(type, out line.Type)
            && TryReadPosition(position, out line.Position);
    }

    private static bool TryCutLast(ref ReadOnlySpan<byte> rest, out ReadOnlySpan<byte> last)
    {
        int colon = rest.LastIndexOf((byte)':');
        last = rest[(colon + 1)..];
        rest = rest[..Math.Max(colon, 0)];
        return colon >= 0;
    }

    private static bool TryReadTable(ReadOnlySpan<byte> tableAndChain, ref IptablesTraceLine line)
    {
        int colon = tableAndChain.IndexOf((byte)':');
        if (colon <= 0 || colon == tableAndChain.Length - 1)
        {
            return false;
        }

        line.Table = tableAndChain[..colon];
        line.Chain = tableAndChain[(colon + 1)..];
        return true;
    }

    private static bool TryReadType(ReadOnlySpan<byte> word, out TraceStepType type)
    {
        type = word.SequenceEqual("policy"u8) ? TraceStepType.Policy : word.SequenceEqual("return"u8) ? TraceStepType.Return : TraceStepType.Rule;
        return type != TraceStepType.Rule || word.SequenceEqual("rule"u8);
    }

    private static bool TryReadPosition(ReadOnlySpan<byte> digits, out int position) =>
        Utf8Parser.TryParse(digits, out position, out int consumed) && consumed == digits.Length && position >= 0;
}
