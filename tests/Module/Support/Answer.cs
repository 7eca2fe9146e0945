using System.Management.Automation;

namespace Conntracker.Tests.Module.Support;

/// <summary>What a script gave.</summary>
/// <param name="Output">The objects that it emitted.</param>
/// <param name="Errors">The errors that it wrote; last the one that ended it.</param>
/// <param name="Warnings">The warnings that it wrote.</param>
/// <param name="Text">What the host showed.</param>
internal sealed record Answer(IReadOnlyList<PSObject> Output, IReadOnlyList<ErrorRecord> Errors, IReadOnlyList<string> Warnings, string Text)
{
    /// <summary>The objects as text.</summary>
    public string[] Lines => [.. Output.Select(each => each?.ToString() ?? "")];

    /// <summary>The errors' ids, without the name of the command.</summary>
    public string[] ErrorIds => [.. Errors.Select(IdOf)];

    /// <summary>An error's id, without the name of the command: what scripts compare.</summary>
    public static string IdOf(ErrorRecord error) => error.FullyQualifiedErrorId.Split(',')[0];
}
