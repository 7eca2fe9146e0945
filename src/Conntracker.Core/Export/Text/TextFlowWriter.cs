namespace Conntracker.Core.Export.Text;

/// <summary>Writes flows as a text log.</summary>
internal sealed class TextFlowWriter(Stream stream, LogStyle style) : IFlowWriter
{
    private readonly TextLog _log = new(style);

    /// <inheritdoc/>
    public void Write(Flow flow) => _log.Add(flow);

    /// <inheritdoc/>
    public void Complete()
    {
        _log.Sort();
        _log.WriteTo(stream);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
