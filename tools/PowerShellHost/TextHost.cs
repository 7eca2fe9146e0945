using System.Globalization;
using System.Management.Automation.Host;

namespace Conntracker.PowerShellHost;

/// <summary>A host without a console: what is shown goes to a writer, in lines of a fixed width, and nobody answers questions.</summary>
/// <param name="output">What takes the text.</param>
/// <param name="errors">What takes errors and warnings.</param>
/// <param name="width">How many columns a line has.</param>
public sealed class TextHost(TextWriter output, TextWriter errors, int width) : PSHost
{
    private readonly TextHostInterface _interface = new(output, errors, width);

    /// <summary>What the script asked to exit with; null when it did not.</summary>
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
        // Programs write to the same standard output; nothing of this host's is in their way.
    }

    /// <inheritdoc/>
    public override void NotifyEndApplication()
    {
        // As above.
    }

    /// <inheritdoc/>
    public override void SetShouldExit(int exitCode) => ExitCode = exitCode;
}
