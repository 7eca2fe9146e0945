using System.Management.Automation;
using System.Xml;

namespace Conntracker.PowerShell;

/// <summary>Reads descriptions of hosts from files: JSON, or the XML of Export-Clixml. The content decides.</summary>
internal static class FirewallHostFile
{
    private const long LargestFile = 256 * 1024 * 1024;

    /// <summary>Reads a file.</summary>
    /// <param name="path">Its path in the file system.</param>
    /// <returns>The hosts: one of JSON, and any number of XML.</returns>
    /// <exception cref="ConntrackException">It cannot be opened, or holds no description.</exception>
    public static IReadOnlyList<FirewallHost> Read(string path)
    {
        string text;
        try
        {
            if (FirstCharacter(path) != '<')
            {
                return [FirewallHost.Load(path)];
            }

            if (new FileInfo(path).Length > LargestFile)
            {
                throw new IOException($"It is larger than {LargestFile / 1024 / 1024} MiB.");
            }

            text = File.ReadAllText(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConntrackException(
                ConntrackErrorReason.HostDescriptionFailed, $"The description of a host '{path}' cannot be read: {error.Message}", error);
        }

        object[] found;
        try
        {
            found = PSSerializer.DeserializeAsList(text);
        }
        catch (Exception error) when (error is XmlException or RuntimeException)
        {
            throw new ConntrackException(ConntrackErrorReason.HostDescriptionInvalid, $"'{path}' is not a file of Export-Clixml: {error.Message}", error);
        }

        return [.. found.Select(each => FirewallHostConverter.Convert(each, $"'{path}'"))];
    }

    private static char FirstCharacter(string path)
    {
        using StreamReader reader = new(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        int character = reader.Read();
        while (character >= 0 && char.IsWhiteSpace((char)character))
        {
            character = reader.Read();
        }

        return character < 0 ? '\0' : (char)character;
    }
}
