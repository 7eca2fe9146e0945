namespace Conntracker.Cli;

/// <summary>How tests of flows are printed.</summary>
internal enum TryFormat
{
    /// <summary>A few lines for each flow.</summary>
    Text,

    /// <summary>One JSON object per line for each flow.</summary>
    Json,
}
