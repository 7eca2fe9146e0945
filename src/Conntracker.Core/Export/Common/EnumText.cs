using System.Runtime.CompilerServices;

namespace Conntracker.Core.Export.Common;

/// <summary>The enums of <see cref="Flow"/> as names. A protocol without a name is its number.</summary>
internal static class EnumText
{
    /// <summary>Reads a name, or a number that has one; for a protocol any number from 0 to 255.</summary>
    public static bool TryParse<T>(string text, out T value)
        where T : unmanaged, Enum =>
        Enum.TryParse(text, ignoreCase: true, out value) && !text.Contains(',', StringComparison.Ordinal) && IsKnown(value);

    /// <summary>Converts a number to a value; false when the enum has no such value.</summary>
    public static bool TryFrom<T>(byte number, out T value)
        where T : unmanaged, Enum
    {
        // All of the flow's enums are bytes.
        value = Unsafe.BitCast<byte, T>(number);
        return IsKnown(value);
    }

    private static bool IsKnown<T>(T value)
        where T : unmanaged, Enum => typeof(T) == typeof(FlowProtocol) || Enum.IsDefined(value);
}
