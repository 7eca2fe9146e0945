namespace Conntracker;

/// <summary>The formats that flows are written to files in, and read from.</summary>
public enum LogFormat : byte
{
    /// <summary>The text log, in one of the generations of <see cref="LogStyle"/>. It holds part of a flow only.</summary>
    Text = 0,

    /// <summary>One JSON array of flows.</summary>
    Json = 1,

    /// <summary>One JSON object per line (also known as NDJSON).</summary>
    JsonLines = 2,

    /// <summary>Comma-separated values with a header row (RFC 4180).</summary>
    Csv = 3,

    /// <summary>A directory with an empty file for each entry, whose path describes it as a firewall rule would. It holds part of a flow only.</summary>
    Tree = 4,
}
