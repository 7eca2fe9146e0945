namespace Conntracker.HelpBuilder;

/// <summary>A help page is not as it must be. The message names the page, its line, and what is wanted there.</summary>
internal sealed class PageException(string page, int line, string message)
    : Exception(line > 0 ? $"{page}:{line}: {message}" : $"{page}: {message}");
