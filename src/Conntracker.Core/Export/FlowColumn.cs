using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace Conntracker.Core.Export;

/// <summary>A column of the CSV file: a property's name, and how its values are written and read.</summary>
internal abstract class FlowColumn(string name)
{
    /// <summary>The property's name.</summary>
    public string Name => name;

    /// <summary>True for a column without which there is no flow.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Writes the value of a flow; false when it is null.</summary>
    public abstract bool Write(FlowFields record, IBufferWriter<byte> cell);

    /// <summary>Reads a value that is not null; false when the cell holds none.</summary>
    public abstract bool TryRead(FlowFields record, ReadOnlySpan<byte> cell);

    /// <summary>A column of numbers.</summary>
    public static FlowColumn Number<T>(string name, Func<FlowFields, T?> get, Action<FlowFields, T> set)
        where T : struct, IUtf8SpanFormattable, IUtf8SpanParsable<T> => new NumberColumn<T>(name, get, set);

    /// <summary>A column of names.</summary>
    public static FlowColumn Named<T>(string name, Func<FlowFields, T?> get, Action<FlowFields, T> set, bool required = false)
        where T : unmanaged, Enum => new StringColumn(
            name,
            record => get(record)?.ToString(),
            (record, text) => EnumText.TryParse(text, out T value) && Done(set, record, value))
        {
            IsRequired = required,
        };

    /// <summary>A column of True and False.</summary>
    public static FlowColumn Truth(string name, Func<FlowFields, bool> get, Action<FlowFields, bool> set) => new StringColumn(
        name,
        record => get(record) ? bool.TrueString : bool.FalseString,
        (record, text) => bool.TryParse(text, out bool value) && Done(set, record, value));

    /// <summary>A column of addresses.</summary>
    public static FlowColumn Address(string name, Func<FlowFields, IPAddress?> get, Action<FlowFields, IPAddress> set, bool required = false) =>
        new StringColumn(
            name,
            record => get(record)?.ToString(),
            (record, text) => AddressJsonConverter.TryParse(text, out IPAddress? value) && Done(set, record, value))
        {
            IsRequired = required,
        };

    /// <summary>A column of times in ISO 8601; one without an offset is taken as UTC.</summary>
    public static FlowColumn Time(string name, Func<FlowFields, DateTimeOffset?> get, Action<FlowFields, DateTimeOffset> set) => new StringColumn(
        name,
        record => get(record)?.ToString("O", CultureInfo.InvariantCulture),
        (record, text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset value)
            && Done(set, record, value));

    /// <summary>A column of text.</summary>
    public static FlowColumn Text(string name, Func<FlowFields, string?> get, Action<FlowFields, string> set) =>
        new StringColumn(name, get, (record, text) => Done(set, record, text));

    /// <summary>A column whose cells hold JSON.</summary>
    public static FlowColumn Json<T>(string name, JsonTypeInfo<T> type, Func<FlowFields, T?> get, Action<FlowFields, T> set)
        where T : class => new JsonColumn<T>(name, type, get, set);

    private static bool Done<T>(Action<FlowFields, T> set, FlowFields record, T value)
    {
        set(record, value);
        return true;
    }

    private sealed class NumberColumn<T>(string name, Func<FlowFields, T?> get, Action<FlowFields, T> set) : FlowColumn(name)
        where T : struct, IUtf8SpanFormattable, IUtf8SpanParsable<T>
    {
        private const int LongestNumber = 24;

        public override bool Write(FlowFields record, IBufferWriter<byte> cell)
        {
            if (get(record) is not T value)
            {
                return false;
            }

            value.TryFormat(cell.GetSpan(LongestNumber), out int length, default, CultureInfo.InvariantCulture);
            cell.Advance(length);
            return true;
        }

        public override bool TryRead(FlowFields record, ReadOnlySpan<byte> cell) =>
            T.TryParse(cell, CultureInfo.InvariantCulture, out T value) && Done(set, record, value);
    }

    private sealed class StringColumn(string name, Func<FlowFields, string?> get, Func<FlowFields, string, bool> set) : FlowColumn(name)
    {
        public override bool Write(FlowFields record, IBufferWriter<byte> cell)
        {
            string? value = get(record);
            if (value is not null)
            {
                Encoding.UTF8.GetBytes(value, cell);
            }

            return value is not null;
        }

        public override bool TryRead(FlowFields record, ReadOnlySpan<byte> cell) => set(record, Encoding.UTF8.GetString(cell));
    }

    private sealed class JsonColumn<T>(string name, JsonTypeInfo<T> type, Func<FlowFields, T?> get, Action<FlowFields, T> set) : FlowColumn(name)
        where T : class
    {
        public override bool Write(FlowFields record, IBufferWriter<byte> cell)
        {
            T? value = get(record);
            if (value is not null)
            {
                using Utf8JsonWriter json = new(cell, FlowJsonContext.WriterOptions);
                JsonSerializer.Serialize(json, value, type);
            }

            return value is not null;
        }

        public override bool TryRead(FlowFields record, ReadOnlySpan<byte> cell)
        {
            try
            {
                return JsonSerializer.Deserialize(cell, type) is T value && Done(set, record, value);
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }
}
