using System.CommandLine.Parsing;
using System.Globalization;

namespace Conntracker.Cli;

/// <summary>Parses the values of options. An invalid value is an error of the command line, which names the option.</summary>
internal static class OptionParsers
{
    /// <summary>A name of an enum value, in any case.</summary>
    public static T Name<T>(ArgumentResult result)
        where T : struct, Enum
    {
        string text = result.Tokens[0].Value;
        foreach (T value in Enum.GetValues<T>())
        {
            if (string.Equals(value.ToString(), text, StringComparison.OrdinalIgnoreCase))
            {
                return value;
            }
        }

        result.AddError($"{((OptionResult)result.Parent!).Option.Name}: '{text}' is not one of " +
            $"{string.Join(", ", Enum.GetNames<T>().Where(name => name != nameof(LogFormat.Tree)).Select(name => name.ToLowerInvariant()))}.");
        return default;
    }

    /// <summary>A log format.</summary>
    public static LogFormat Format(ArgumentResult result)
    {
        if (string.Equals(result.Tokens[0].Value, nameof(LogFormat.Tree), StringComparison.OrdinalIgnoreCase))
        {
            result.AddError("--format: a tree is a directory, not a log. Use --tree DIR.");
            return default;
        }

        return Name<LogFormat>(result);
    }

    /// <summary>A number of seconds above 0.</summary>
    public static TimeSpan? Seconds(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double seconds)
            && seconds > 0
            && seconds < TimeSpan.MaxValue.TotalSeconds)
        {
            return TimeSpan.FromSeconds(seconds);
        }

        result.AddError($"{((OptionResult)result.Parent!).Option.Name}: '{text}' is not a number of seconds above 0.");
        return null;
    }

    /// <summary>A number of seconds that packets can be traced for.</summary>
    public static TimeSpan? TraceSeconds(ArgumentResult result)
    {
        TimeSpan? duration = Seconds(result);
        if (duration < CaptureOptions.MinimumTraceDuration || duration > CaptureOptions.MaximumTraceDuration)
        {
            result.AddError($"{((OptionResult)result.Parent!).Option.Name}: '{result.Tokens[0].Value}' is not a number of seconds from 1 to 86400.");
        }

        return duration;
    }

    /// <summary>A size in bytes.</summary>
    public static int Size(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (!ByteSize.TryParse(text, out int bytes) || bytes is < CaptureOptions.MinimumBufferSize or > CaptureOptions.MaximumBufferSize)
        {
            result.AddError($"--buffer-size: '{text}' is not a size from {CaptureOptions.MinimumBufferSize} bytes to 1G. Use 8388608, 8192K or 8M.");
        }

        return bytes;
    }

    /// <summary>A number of flows.</summary>
    public static int Flows(ArgumentResult result)
    {
        string text = result.Tokens[0].Value;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int flows)
            || flows is < CaptureOptions.MinimumOfMaximumFlows or > CaptureOptions.MaximumOfMaximumFlows)
        {
            result.AddError($"--max-flows: '{text}' is not a number from {CaptureOptions.MinimumOfMaximumFlows} to {CaptureOptions.MaximumOfMaximumFlows}.");
        }

        return flows;
    }
}
