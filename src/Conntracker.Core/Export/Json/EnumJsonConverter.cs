using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Conntracker.Core.Export.Common;

namespace Conntracker.Core.Export.Json;

/// <summary>Enums as names in JSON; a protocol without a name as a number.</summary>
internal sealed class EnumJsonConverter<T> : JsonConverter<T>
    where T : unmanaged, Enum
{
    /// <inheritdoc/>
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String && EnumText.TryParse(reader.GetString()!, out T named))
        {
            return named;
        }

        if (reader.TokenType == JsonTokenType.Number && reader.TryGetByte(out byte number) && EnumText.TryFrom(number, out T numbered))
        {
            return numbered;
        }

        throw new JsonException($"{typeof(T).Name} has no such value.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options)
    {
        if (Enum.GetName(value) is string name)
        {
            writer.WriteStringValue(name);
        }
        else
        {
            writer.WriteNumberValue(Unsafe.BitCast<T, byte>(value));
        }
    }
}
