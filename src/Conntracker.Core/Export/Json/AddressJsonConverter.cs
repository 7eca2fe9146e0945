using System.Net;
using System.Text.Json;
using System.Text.Json.Serialization;
using Conntracker.Core.Addresses;

namespace Conntracker.Core.Export.Json;

/// <summary>Addresses as strings in JSON, an IPv6 scope behind a percent sign.</summary>
internal sealed class AddressJsonConverter : JsonConverter<IPAddress>
{
    // Room for eight hextets and a scope.
    private const int LongestAddress = 64;

    /// <inheritdoc/>
    public override IPAddress Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String && TryParse(reader.GetString(), out IPAddress? address))
        {
            return address;
        }

        throw new JsonException("It is not an IP address.");
    }

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, IPAddress value, JsonSerializerOptions options)
    {
        Span<byte> text = stackalloc byte[LongestAddress];
        value.TryFormat(text, out int length);
        writer.WriteStringValue(text[..length]);
    }

    /// <summary>Reads an address in the form written here: without the shorthands and octal numbers of old IPv4 notation, and without brackets.</summary>
    public static bool TryParse(string? text, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out IPAddress? address) =>
        IPAddress.TryParse(text, out address)
        && (AddressText.Family(address) == FlowFamily.IPv4 ? address.ToString() == text : !text!.Contains('[', StringComparison.Ordinal));
}
