namespace Conntracker.Bench;

/// <summary>What a child process measured; what it did not measure is 0.</summary>
internal sealed class ChildResult
{
    public long Events { get; set; }

    public long Lost { get; set; }

    public long Flows { get; set; }

    public double CpuSeconds { get; set; }

    public double Seconds { get; set; }

    public double TextSeconds { get; set; }

    public long TextBytes { get; set; }

    public double BytesPerFlow { get; set; }

    public long Bytes { get; set; }

    public string Text { get; set; } = "";
}
