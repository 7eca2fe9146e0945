using Conntracker.HelpBuilder;



// Converts the pages of docs/help to the formats that Get-Help reads. The pages are the only source: a gap in them fails the build.
if (args.Length != 2)
{
    Console.Error.WriteLine("usage: HelpBuilder PAGES OUTPUT   (docs/help, and the module's folder en-US)");
    return 2;
}

try
{
    string[] files = [.. Directory.EnumerateFiles(args[0], "*.md").Order(StringComparer.Ordinal)];
    ILookup<bool, string> byKind = files.ToLookup(file => Path.GetFileName(file).StartsWith("about_", StringComparison.Ordinal));
    List<CommandPage> commands = [.. byKind[false].Select(CommandPageReader.Read)];
    if (commands.Count == 0)
    {
        throw new PageException(args[0], 0, "there are no pages of commands.");
    }

    Directory.CreateDirectory(args[1]);
    MamlWriter.Write(Path.Combine(args[1], "Conntracker.PowerShell.dll-Help.xml"), commands);
    foreach (string about in byKind[true])
    {
        File.WriteAllText(Path.Combine(args[1], Path.GetFileNameWithoutExtension(about) + ".help.txt"), AboutWriter.Format(about));
    }

    return 0;
}
catch (Exception error) when (error is PageException or IOException or UnauthorizedAccessException)
{
    Console.Error.WriteLine($"HelpBuilder: {error.Message}");
    return 1;
}
