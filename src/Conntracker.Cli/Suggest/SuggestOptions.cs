namespace Conntracker.Cli.Suggest;

/// <summary>The options of the command <c>suggest</c>.</summary>
/// <param name="Logs">The logs to read; none for a capture.</param>
/// <param name="Capture">The options of the capture.</param>
/// <param name="Policy">The options of the policy.</param>
/// <param name="Output">The output file; <c>-</c> for standard output.</param>
/// <param name="Proves">Whether the policy is proved.</param>
internal sealed record SuggestOptions(IReadOnlyList<string> Logs, CaptureOptions Capture, FirewallPolicyOptions Policy, string Output, bool Proves);
