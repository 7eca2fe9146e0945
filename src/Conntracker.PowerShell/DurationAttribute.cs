using System.Globalization;
using System.Management.Automation;

namespace Conntracker.PowerShell;

/// <summary>
/// Accepts a time span as users write it: <c>30s</c>, <c>5m</c>, <c>2h</c>, <c>1d</c>, <c>500ms</c>, a number of seconds, or a TimeSpan. PowerShell
/// alone would read the number 30 as 30 ticks of 100 nanoseconds, and <c>30s</c> and <c>1d</c> as numbers of its own (a short, a decimal): the typed
/// text decides, where it is known.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DurationAttribute : ArgumentTransformationAttribute
{
    private static readonly (string Suffix, TimeSpan Unit)[] s_units =
    [
        ("ms", TimeSpan.FromMilliseconds(1)),
        ("s", TimeSpan.FromSeconds(1)),
        ("m", TimeSpan.FromMinutes(1)),
        ("h", TimeSpan.FromHours(1)),
        ("d", TimeSpan.FromDays(1)),
    ];

    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        object? value = inputData is PSObject wrapped ? wrapped.BaseObject : inputData;
        try
        {
            return value switch
            {
                null or TimeSpan => value,
                string text => Parse(text),
                IConvertible when IsNumber(value) => TryParseWithUnit(LanguagePrimitives.ConvertTo<string>(inputData), out TimeSpan typed)
                    ? typed
                    : TimeSpan.FromSeconds(Convert.ToDouble(value, CultureInfo.InvariantCulture)),
                _ => inputData,
            };
        }
        catch (Exception error) when (error is OverflowException or FormatException)
        {
            throw new ArgumentTransformationMetadataException(
                $"'{value}' is not a time span. Use seconds (30), a number with a unit (500ms, 30s, 5m, 2h, 1d), or hours:minutes:seconds (00:05:00).", error);
        }
    }

    private static bool IsNumber(object value) => !value.GetType().IsEnum && Type.GetTypeCode(value.GetType()) is >= TypeCode.SByte and <= TypeCode.Decimal;

    private static TimeSpan Parse(string text)
    {
        if (TryParseWithUnit(text, out TimeSpan span))
        {
            return span;
        }

        return double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds)
            ? TimeSpan.FromSeconds(seconds)
            : TimeSpan.Parse(text, CultureInfo.InvariantCulture);
    }

    private static bool TryParseWithUnit(string text, out TimeSpan span)
    {
        string trimmed = text.Trim();
        foreach ((string suffix, TimeSpan unit) in s_units)
        {
            if (trimmed.EndsWith(suffix, StringComparison.OrdinalIgnoreCase)
                && double.TryParse(trimmed.AsSpan(0, trimmed.Length - suffix.Length), NumberStyles.Float, CultureInfo.InvariantCulture, out double count))
            {
                span = unit * count;
                return true;
            }
        }

        span = default;
        return false;
    }
}
