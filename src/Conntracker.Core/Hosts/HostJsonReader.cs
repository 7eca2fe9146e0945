using System.Globalization;
using System.Text;
using System.Text.Json;
using Conntracker.Core.Model;

namespace Conntracker.Core.Hosts;

/// <summary>Reads a property of an object: returns the object with it.</summary>
internal delegate T HostPropertyReader<T>(ref HostJsonReader reader, string name, T value);

/// <summary>Reads a value.</summary>
internal delegate T HostValueReader<out T>(ref HostJsonReader reader);

/// <summary>Reads a value of a map.</summary>
internal delegate T HostMapValueReader<out T>(ref HostJsonReader reader, string key);

/// <summary>Walks JSON, forward only, and checks values. An error names the line, and the property with its path.</summary>
internal ref struct HostJsonReader
{
    private const int LongestExcerpt = 60;

    private readonly ReadOnlySpan<byte> _text;
    private readonly string _source;
    private readonly List<string> _path = [];
    private Utf8JsonReader _json;

    /// <summary>Begins at the first value.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">Where it is from; the beginning of error messages.</param>
    public HostJsonReader(ReadOnlySpan<byte> text, string source)
    {
        _text = text;
        _source = source;
        _json = new Utf8JsonReader(text, new JsonReaderOptions { AllowTrailingCommas = true, CommentHandling = JsonCommentHandling.Skip });
        Next();
    }

    /// <summary>Checks that nothing follows the value.</summary>
    public void End()
    {
        try
        {
            _json.Read();
        }
        catch (JsonException error)
        {
            throw Syntax(error);
        }
    }

    /// <summary>Reads an object.</summary>
    /// <param name="value">The object before its properties are read.</param>
    /// <param name="read">Reads one property.</param>
    public T ReadObject<T>(T value, HostPropertyReader<T> read)
    {
        Expect(JsonTokenType.StartObject, "an object");
        HashSet<string> seen = new(StringComparer.Ordinal);
        while (NextProperty(seen) is string name)
        {
            value = read(ref this, name, value);
            _path.RemoveAt(_path.Count - 1);
        }

        return value;
    }

    /// <summary>Reads an object whose properties are the entries of a map.</summary>
    public Dictionary<string, T> ReadMap<T>(HostMapValueReader<T> read)
    {
        Expect(JsonTokenType.StartObject, "an object");
        Dictionary<string, T> map = new(StringComparer.Ordinal);
        HashSet<string> seen = new(StringComparer.Ordinal);
        while (NextProperty(seen) is string name)
        {
            map[name] = read(ref this, name);
            _path.RemoveAt(_path.Count - 1);
        }

        return map;
    }

    /// <summary>Reads an array.</summary>
    public List<T> ReadList<T>(HostValueReader<T> read)
    {
        Expect(JsonTokenType.StartArray, "an array");
        List<T> list = [];
        for (Next(); _json.TokenType != JsonTokenType.EndArray; Next())
        {
            _path.Add($"[{list.Count}]");
            list.Add(read(ref this));
            _path.RemoveAt(_path.Count - 1);
        }

        return list;
    }

    /// <summary>Reads a text, or null.</summary>
    public string? ReadOptional(HostValueReader<string> read) => _json.TokenType == JsonTokenType.Null ? null : read(ref this);

    /// <summary>Reads a text.</summary>
    public readonly string ReadText()
    {
        Expect(JsonTokenType.String, "a text");
        try
        {
            return _json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Fault("the text is not valid UTF-8");
        }
    }

    /// <summary>Reads a text without spaces and control characters.</summary>
    public readonly string ReadWord() => ReadText() is string text && text.Length > 0 && !text.Any(each => char.IsWhiteSpace(each) || char.IsControl(each))
        ? text
        : throw Expected("a word without spaces");

    /// <summary>Reads one of several words.</summary>
    public readonly string ReadOneOf(IReadOnlyList<string> words) => ReadText() is string text && words.Contains(text)
        ? text
        : throw Expected(string.Join(", ", words.SkipLast(1)) + " or " + words[^1]);

    /// <summary>Reads the name of an interface.</summary>
    public readonly string ReadInterfaceName() => ReadText() is string text && HostText.IsInterfaceName(text)
        ? text
        : throw Expected($"the name of an interface (at most {HostText.LongestInterfaceName} bytes, without spaces, slashes and colons)");

    /// <summary>Reads a link-layer address.</summary>
    public readonly string ReadLinkAddress() => ReadText() is string text && text.Split(':').All(each => each.Length == 2 && each.All(char.IsAsciiHexDigit))
        ? text
        : throw Expected("a link-layer address (02:00:5e:00:53:01)");

    /// <summary>Reads an address.</summary>
    public readonly string ReadAddress() => ReadText() is string text && HostText.FamilyOfAddress(text) != FlowFamily.None
        ? text
        : throw Expected("an IPv4 or IPv6 address");

    /// <summary>Reads an address with a prefix length.</summary>
    /// <param name="mayBeEmpty">Whether an empty text is allowed as well.</param>
    public readonly string ReadPrefix(bool mayBeEmpty = false) =>
        ReadText() is string text && ((mayBeEmpty && text.Length == 0) || HostText.FamilyOfPrefix(text) != FlowFamily.None)
        ? text
        : throw Expected("an address with its prefix length (192.0.2.1/24, 2001:db8::1/64)");

    /// <summary>Reads a family by its name; as a number, 4 or 6, it comes from ConvertTo-Json.</summary>
    public readonly FlowFamily ReadFamily()
    {
        string text = _json.TokenType == JsonTokenType.Number ? ReadNumber(0, uint.MaxValue).ToString(CultureInfo.InvariantCulture) : ReadText();
        return text is nameof(FlowFamily.IPv4) or "4" ? FlowFamily.IPv4
            : text is nameof(FlowFamily.IPv6) or "6" ? FlowFamily.IPv6
            : throw Expected("IPv4 or IPv6");
    }

    /// <summary>Reads the value of a setting: a text without control characters, or a number.</summary>
    public readonly string ReadSettingValue()
    {
        string text = _json.TokenType == JsonTokenType.Number ? ReadNumber(long.MinValue, long.MaxValue).ToString(CultureInfo.InvariantCulture) : ReadText();
        return text.Any(char.IsControl) ? throw Expected("the value of a setting, in one line") : text;
    }

    /// <summary>Reads a whole number.</summary>
    public readonly long ReadNumber(long from, long to)
    {
        Expect(JsonTokenType.Number, "a number");
        return _json.TryGetInt64(out long number) && number >= from && number <= to
            ? number
            : throw Expected(string.Create(CultureInfo.InvariantCulture, $"a whole number from {from} to {to}"));
    }

    /// <summary>Reads a whole number from 0 on, or null.</summary>
    public readonly long? ReadOptionalNumber(long to) => _json.TokenType == JsonTokenType.Null ? null : ReadNumber(0, to);

    /// <summary>Reads true or false.</summary>
    public readonly bool ReadBoolean() => _json.TokenType is JsonTokenType.True or JsonTokenType.False ? _json.GetBoolean() : throw Expected("true or false");

    /// <summary>Reads a time, or null.</summary>
    public readonly DateTimeOffset? ReadTime()
    {
        if (_json.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        Expect(JsonTokenType.String, "a time");
        return _json.TryGetDateTimeOffset(out DateTimeOffset time) ? time : throw Expected("a time (2026-01-31T12:00:00Z)");
    }

    /// <summary>The current property is not one of those that the object has.</summary>
    public readonly ConntrackException Unknown() => Fault("there is no such property");

    /// <summary>The current value is wrong.</summary>
    /// <param name="what">What is wrong with it.</param>
    public readonly ConntrackException Fault(string what) => Fail(Line(_json.TokenStartIndex), what);

    private readonly ConntrackException Expected(string what) => Fault($"{Excerpt()} is not {what}");

    private readonly void Expect(JsonTokenType type, string what)
    {
        if (_json.TokenType != type)
        {
            throw Expected(what);
        }
    }

    private string? NextProperty(HashSet<string> seen)
    {
        Next();
        if (_json.TokenType != JsonTokenType.PropertyName)
        {
            return null;
        }

        string name;
        try
        {
            name = _json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw Fault("the name of a property is not valid UTF-8");
        }

        _path.Add(_path.Count == 0 ? name : $".{name}");
        if (!seen.Add(name))
        {
            throw Fault("the property is there twice");
        }

        Next();
        return name;
    }

    private void Next()
    {
        try
        {
            if (!_json.Read())
            {
                throw Fail(Line(_text.Length), "the text ends too early");
            }
        }
        catch (JsonException error)
        {
            throw Syntax(error);
        }
    }

    private readonly ConntrackException Syntax(JsonException error)
    {
        // .NET appends where it is, counted from 0.
        string message = error.Message;
        int place = message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return Fail(1 + (error.LineNumber ?? 0), $"it is not JSON. {(place < 0 ? message : message[..place])}");
    }

    private readonly long Line(long position) => 1 + _text[..(int)Math.Min(position, _text.Length)].Count((byte)'\n');

    private readonly ConntrackException Fail(long line, string what)
    {
        // A text in one line is one that nobody has in an editor.
        string place = _text.TrimEnd("\n"u8).Contains((byte)'\n') ? string.Create(CultureInfo.InvariantCulture, $", line {line}") : "";
        string path = _path.Count == 0 ? "" : $", {SafeText.Printable(string.Concat(_path))}";
        return new ConntrackException(ConntrackErrorReason.HostDescriptionInvalid, $"{_source}{place}{path}: {what}.");
    }

    private readonly string Excerpt()
    {
        ReadOnlySpan<byte> token = _json.ValueSpan;
        string text = SafeText.Printable(Encoding.UTF8.GetString(token[..Math.Min(token.Length, LongestExcerpt)]));
        string more = token.Length > LongestExcerpt ? "…" : "";
        return _json.TokenType switch
        {
            JsonTokenType.StartObject => "an object",
            JsonTokenType.StartArray => "an array",
            JsonTokenType.String or JsonTokenType.PropertyName => $"'{text}{more}'",
            _ => text + more,
        };
    }
}
