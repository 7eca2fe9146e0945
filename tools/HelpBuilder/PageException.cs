namespace Conntracker.HelpBuilder;

/// <summary>A help page is not valid. The message names the page, its line, and what is expected there.</summary>
internal sealed class PageException(string page, int line, string message)
    : Exception(line > 0 ? $"{page}:{line}: {message}" : $"{page}: {message}");
