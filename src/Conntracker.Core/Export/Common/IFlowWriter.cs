namespace Conntracker;

/// <summary>Writes flows to a stream in one format. The caller owns the stream, which is neither flushed nor closed here.</summary>
public interface IFlowWriter : IDisposable
{
    /// <summary>Writes a flow.</summary>
    void Write(Flow flow);

    /// <summary>Ends the document and writes all of it to the stream. Disposing without this leaves it unfinished.</summary>
    void Complete();
}
