namespace Conntracker.Tests.Unit.Export;

/// <summary>A tree in a directory of its own, and what writes flows to it.</summary>
public abstract class FlowTreeTest : IDisposable
{
    private readonly TempDirectory _folder = new();

    /// <summary>The tree's directory, which does not exist yet.</summary>
    protected virtual string Root => PathOf("tree");

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Removes the directory.</summary>
    protected virtual void Dispose(bool disposing) => _folder.Dispose();

    /// <summary>A path beside the tree.</summary>
    protected string PathOf(string name) => _folder.File(name);

    private protected static Flow Flow(int port) => TreeFlows.Of(FlowDirection.Out, FlowProtocol.Tcp, "10.0.0.1", 50000, "8.8.8.8", port);

    private protected FlowTree Write(params Flow[] flows) => Write(new FlowTreeOptions(), flows);

    private protected FlowTree Write(FlowTreeOptions options, params Flow[] flows)
    {
        FlowTree tree = FlowTree.Open(Root, options);
        try
        {
            foreach (Flow flow in flows)
            {
                tree.Write(flow);
            }

            return tree;
        }
        catch
        {
            tree.Dispose();
            throw;
        }
    }
}
