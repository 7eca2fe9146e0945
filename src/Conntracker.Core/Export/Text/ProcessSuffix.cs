using System.Globalization;
using System.Text;
using Conntracker.Core.Addresses;
using Conntracker.Core.Model;

namespace Conntracker.Core.Export.Text;

/// <summary>The suffix of a V3 line that names the process: <c> (ssh,pid:5057,uid:root)</c>.</summary>
internal static class ProcessSuffix
{
    private const string PidField = ",pid:";
    private const string UidField = ",uid:";

    /// <summary>The suffix when the process is not known.</summary>
    public static ReadOnlySpan<byte> Unknown => " (-)"u8;

    /// <summary>The suffix of a process: its name, its id, and its user's name, or the user's id when there is no name.</summary>
    public static string Format(FlowProcess process)
    {
        string user = !string.IsNullOrEmpty(process.UserName)
            ? SafeText.InSuffix(process.UserName)
            : process.UserId?.ToString(CultureInfo.InvariantCulture) ?? "-";
        return string.Create(CultureInfo.InvariantCulture, $" ({SafeText.InSuffix(process.Name)}{PidField}{process.Id}{UidField}{user})");
    }

    /// <summary>Reads the text between the parentheses; null for a text that no writer writes.</summary>
    public static FlowProcess? Parse(ReadOnlySpan<byte> text)
    {
        int pidAt = text.IndexOf(",pid:"u8);
        int uidAt = text.IndexOf(",uid:"u8);
        if (pidAt < 0 || uidAt < pidAt + PidField.Length)
        {
            return null;
        }

        ReadOnlySpan<byte> name = text[..pidAt];
        ReadOnlySpan<byte> user = text[(uidAt + UidField.Length)..];
        if (name.ContainsAny(",()"u8) || user.ContainsAny(",()"u8)
            || !int.TryParse(text[(pidAt + PidField.Length)..uidAt], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int id))
        {
            return null;
        }

        // Digits that a writer would not print as a number ("007") can only be a name.
        bool isNumber = Digits.TryParse(user, out uint userId);
        return new FlowProcess
        {
            Name = Encoding.UTF8.GetString(name),
            Id = id,
            UserId = isNumber ? userId : null,
            UserName = isNumber || user.SequenceEqual("-"u8) ? null : Encoding.UTF8.GetString(user),
            Source = ProcessSource.Unknown,
        };
    }
}
