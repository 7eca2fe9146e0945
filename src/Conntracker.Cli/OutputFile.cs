namespace Conntracker.Cli;

/// <summary>The output of a command: a file that is complete or absent, or standard output.</summary>
internal static class OutputFile
{
    /// <summary>Writes the output.</summary>
    /// <param name="path">The file's path; <c>-</c> for standard output.</param>
    /// <param name="text">What is written, in UTF-8.</param>
    /// <exception cref="LogFileException">The file cannot be written.</exception>
    /// <exception cref="IOException">Standard output cannot be written to.</exception>
    public static void Write(string path, ReadOnlySpan<byte> text)
    {
        if (path == LogOutput.StandardOutput)
        {
            using Stream stream = Console.OpenStandardOutput();
            stream.Write(text);
            stream.Flush();
            return;
        }

        using LogFile file = LogFile.Create(path);
        file.Stream.Write(text);
        file.Commit();
    }
}
