using System.Text;

namespace Conntracker.Core.Tracing;

/// <summary>
/// The names of tables and chains, each kept once: a name that is known costs a lookup and no object. Hosts whose rules are made by programs
/// have ever more of them, so that there is a limit.
/// </summary>
internal sealed class StringPool
{
    /// <summary>Names that are kept.</summary>
    public const int MaximumNames = 1 << 16;

    /// <summary>The number of what is not kept.</summary>
    public const int NoName = -1;

    // The kernel's limit: NFT_NAME_MAXLEN. Names of iptables have 31 bytes at most.
    private const int MaximumLength = 256;

    private readonly Dictionary<string, int> _numbers = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly List<string> _names = [];

    /// <summary>Makes a table that holds the empty name, as number 0.</summary>
    public StringPool()
    {
        _lookup = _numbers.GetAlternateLookup<ReadOnlySpan<char>>();
        Of([]);
    }

    /// <summary>The name of a number.</summary>
    public string this[int number] => _names[number];

    /// <summary>The number of a name in UTF-8; of what is longer than any name, of its beginning.</summary>
    /// <returns><see cref="NoName"/> for a new one when there are too many.</returns>
    public int Of(ReadOnlySpan<byte> name)
    {
        Span<char> text = stackalloc char[MaximumLength];
        text = text[..Encoding.UTF8.GetChars(name[..Math.Min(name.Length, MaximumLength)], text)];
        if (!_lookup.TryGetValue(text, out int number))
        {
            if (_names.Count == MaximumNames)
            {
                return NoName;
            }

            number = _names.Count;
            _names.Add(text.ToString());
            _numbers.Add(_names[number], number);
        }

        return number;
    }
}
