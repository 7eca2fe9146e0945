using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Conntracker.Core.Export.Common;
using Conntracker.Core.Export.Json;

namespace Conntracker.Core.Export.Csv;

/// <summary>A column of the CSV file: a property's name, and how its values are written and read.</summary>
internal abstract class FlowColumn(string name)
{
    /// <summary>The property's name.</summary>
    public string Name => name;

    /// <summary>True for a column that every flow needs.</summary>
    public bool IsRequired { get; init; }

    /// <summary>Writes the value of a flow; false when it is null.</summary>
    public abstract bool Write(Flow flow, IBufferWriter<byte> cell);

    /// <summary>Reads a value that is not null; false when the cell holds no such value.</summary>
    public abstract bool TryRead(Flow flow, ReadOnlySpan<byte> cell);

    /// <summary>A column of numbers.</summary>
    public static FlowColumn Number<T>(string name, Func<Flow, T?> get, Action<Flow, T> set)
        where T : struct, IUtf8SpanFormattable, IUtf8SpanParsable<T> => new NumberColumn<T>(name, get, set);

    /// <summary>A column of names.</summary>
    public static FlowColumn Named<T>(string name, Func<Flow, T?> get, Action<Flow, T> set, bool required = false)
        where T : unmanaged, Enum => new StringColumn(
            name,
            flow => get(flow)?.ToString(),
            (flow, text) => EnumText.TryParse(text, out T value) && Done(set, flow, value))
        {
            IsRequired = required,
        };

    /// <summary>A column of True and False.</summary>
    public static FlowColumn Truth(string name, Func<Flow, bool> get, Action<Flow, bool> set) => new StringColumn(
        name,
        flow => get(flow) ? bool.TrueString : bool.FalseString,
        (flow, text) => bool.TryParse(text, out bool value) && Done(set, flow, value));

    /// <summary>A column of addresses.</summary>
    public static FlowColumn Address(string name, Func<Flow, IPAddress?> get, Action<Flow, IPAddress> set, bool required = false) =>
        new StringColumn(
            name,
            flow => get(flow)?.ToString(),
            (flow, text) => AddressJsonConverter.TryParse(text, out IPAddress? value) && Done(set, flow, value))
        {
            IsRequired = required,
        };

    /// <summary>A column of times in ISO 8601; one without an offset is taken as UTC.</summary>
    public static FlowColumn Time(string name, Func<Flow, DateTimeOffset?> get, Action<Flow, DateTimeOffset> set) => new StringColumn(
        name,
        flow => get(flow)?.ToString("O", CultureInfo.InvariantCulture),
        (flow, text) => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset value)
            && Done(set, flow, value));

    /// <summary>A column of text.</summary>
    public static FlowColumn Text(string name, Func<Flow, string?> get, Action<Flow, string> set) =>
        new StringColumn(name, get, (flow, text) => Done(set, flow, text));

    /// <summary>A column whose cells hold JSON.</summary>
    public static FlowColumn Json<T>(string name, JsonTypeInfo<T> type, Func<Flow, T?> get, Action<Flow, T> set)
        where T : class => new JsonColumn<T>(name, type, get, set);

    private static bool Done<T>(Action<Flow, T> set, Flow flow, T value)
    {
        set(flow, value);
        return true;
    }

    private sealed class NumberColumn<T>(string name, Func<Flow, T?> get, Action<Flow, T> set) : FlowColumn(name)
        where T : struct, IUtf8SpanFormattable, IUtf8SpanParsable<T>
    {
        private const int LongestNumber = 24;

        public override bool Write(Flow flow, IBufferWriter<byte> cell)
        {
            if (get(flow) is not T value)
            {
                return false;
            }

            value.TryFormat(cell.GetSpan(LongestNumber), out int length, default, CultureInfo.InvariantCulture);
            cell.Advance(length);
            return true;
        }

        public override bool TryRead(Flow flow, ReadOnlySpan<byte> cell) =>
            T.TryParse(cell, CultureInfo.InvariantCulture, out T value) && Done(set, flow, value);
    }

    private sealed class StringColumn(string name, Func<Flow, string?> get, Func<Flow, string, bool> set) : FlowColumn(name)
    {
        public override bool Write(Flow flow, IBufferWriter<byte> cell)
        {
            string? value = get(flow);
            if (value is not null)
            {
                Encoding.UTF8.GetBytes(value, cell);
            }

            return value is not null;
        }

        public override bool TryRead(Flow flow, ReadOnlySpan<byte> cell) => set(flow, Encoding.UTF8.GetString(cell));
    }

    private sealed class JsonColumn<T>(string name, JsonTypeInfo<T> type, Func<Flow, T?> get, Action<Flow, T> set) : FlowColumn(name)
        where T : class
    {
        public override bool Write(Flow flow, IBufferWriter<byte> cell)
        {
            T? value = get(flow);
            if (value is not null)
            {
                using Utf8JsonWriter json = new(cell, FlowJsonContext.WriterOptions);
                JsonSerializer.Serialize(json, value, type);
            }

            return value is not null;
        }

        public override bool TryRead(Flow flow, ReadOnlySpan<byte> cell)
        {
            try
            {
                return JsonSerializer.Deserialize(cell, type) is T value && Done(set, flow, value);
            }
            catch (JsonException)
            {
                return false;
            }
        }
    }
}
