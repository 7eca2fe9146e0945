using System.Collections.ObjectModel;
using System.Management.Automation;
using System.Management.Automation.Host;
using System.Security;

namespace Conntracker.PowerShellHost;

/// <summary>The text side of <see cref="TextHost"/>.</summary>
/// <param name="output">Receives the text.</param>
/// <param name="errors">Receives errors and warnings.</param>
/// <param name="width">The width of a line in columns.</param>
internal sealed class TextHostInterface(TextWriter output, TextWriter errors, int width) : PSHostUserInterface
{
    private const string NobodyAnswers = "The script asks a question, and nobody is here to answer it.";

    /// <inheritdoc/>
    public override PSHostRawUserInterface RawUI { get; } = new TextHostScreen(width);

    /// <inheritdoc/>
    public override bool SupportsVirtualTerminal => false;

    /// <inheritdoc/>
    public override void Write(string value) => output.Write(Plain(value));

    /// <inheritdoc/>
    public override void Write(ConsoleColor foregroundColor, ConsoleColor backgroundColor, string value) => output.Write(Plain(value));

    /// <inheritdoc/>
    public override void WriteLine(string value) => output.WriteLine(Plain(value));

    /// <inheritdoc/>
    public override void WriteErrorLine(string value) => errors.WriteLine(Plain(value));

    /// <inheritdoc/>
    public override void WriteWarningLine(string message) => errors.WriteLine($"WARNING: {message}");

    /// <inheritdoc/>
    public override void WriteVerboseLine(string message) => output.WriteLine($"VERBOSE: {message}");

    /// <inheritdoc/>
    public override void WriteDebugLine(string message) => output.WriteLine($"DEBUG: {message}");

    /// <inheritdoc/>
    public override void WriteProgress(long sourceId, ProgressRecord record)
    {
        // A progress bar is useless in text that is not redrawn.
    }

    /// <inheritdoc/>
    public override Dictionary<string, PSObject> Prompt(string caption, string message, Collection<FieldDescription> descriptions) => throw new HostException(NobodyAnswers);

    /// <inheritdoc/>
    public override int PromptForChoice(string caption, string message, Collection<ChoiceDescription> choices, int defaultChoice) => throw new HostException(NobodyAnswers);

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(string caption, string message, string userName, string targetName) => throw new HostException(NobodyAnswers);

    /// <inheritdoc/>
    public override PSCredential PromptForCredential(
        string caption, string message, string userName, string targetName, PSCredentialTypes allowedCredentialTypes, PSCredentialUIOptions options) => throw new HostException(NobodyAnswers);

    /// <inheritdoc/>
    public override string ReadLine() => throw new HostException(NobodyAnswers);

    /// <inheritdoc/>
    public override SecureString ReadLineAsSecureString() => throw new HostException(NobodyAnswers);

    // PowerShell leaves it to the host to remove color sequences where they are not supported.
    private string Plain(string text) => GetOutputString(text, SupportsVirtualTerminal);
}
