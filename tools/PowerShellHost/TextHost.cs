using System.Globalization;
using System.Management.Automation.Host;

namespace Conntracker.PowerShellHost;

/// <summary>A host without a console: output goes to a writer, in lines of a fixed width, and prompts are refused.</summary>
/// <param name="output">Receives the text.</param>
/// <param name="errors">Receives errors and warnings.</param>
/// <param name="width">The width of a line in columns.</param>
public sealed class TextHost(TextWriter output, TextWriter errors, int width) : PSHost
{
    private readonly TextHostInterface _interface = new(output, errors, width);

    /// <summary>The exit code that the script requested; null when it did not.</summary>
    public int? ExitCode { get; private set; }

    /// <inheritdoc/>
    public override CultureInfo CurrentCulture => CultureInfo.CurrentCulture;

    /// <inheritdoc/>
    public override CultureInfo CurrentUICulture => CultureInfo.CurrentUICulture;

    /// <inheritdoc/>
    public override Guid InstanceId { get; } = Guid.NewGuid();

    /// <inheritdoc/>
    public override string Name => "Conntracker.PowerShellHost";

    /// <inheritdoc/>
    public override PSHostUserInterface UI => _interface;

    /// <inheritdoc/>
    public override Version Version { get; } = typeof(TextHost).Assembly.GetName().Version ?? new Version(0, 0);

    /// <inheritdoc/>
    public override void EnterNestedPrompt() => throw new NotSupportedException("This host has no prompt.");

    /// <inheritdoc/>
    public override void ExitNestedPrompt() => throw new NotSupportedException("This host has no prompt.");

    /// <inheritdoc/>
    public override void NotifyBeginApplication()
    {
        // Programs write to the same standard output; this host has no state that would disturb them.
    }

    /// <inheritdoc/>
    public override void NotifyEndApplication()
    {
        // As above.
    }

    /// <inheritdoc/>
    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;
}
