using System.IO.Enumeration;
using System.Text;

namespace Conntracker.Core.Export.Tree;

/// <summary>
/// Reads the flows of a tree from its names. Only names are read, whatever the type of the file; directories that are links are not entered.
/// </summary>
internal static class TreeReader
{
    private const string SectionReason = "A tree contains only the directories 'in', 'out' and 'else'.";
    private const string ProtocolReason =
        "'in', 'out' and 'else' contain only directories named after a protocol, such as 'tcp', or its number if it has no name.";

    private const string EntryReason =
        "An entry is a file named SOURCE-PORT-DESTINATION-PORT, SOURCE-TYPE-DESTINATION-CODE for ICMP, or SOURCE-DESTINATION for protocols without ports.";

    private static readonly EnumerationOptions s_all = new() { AttributesToSkip = 0, IgnoreInaccessible = false };

    /// <summary>Reads the flows, in no particular order.</summary>
    /// <param name="path">The tree's directory.</param>
    /// <param name="onError">Called with every name that is not an entry, and every directory that cannot be read. An exception that it throws ends the
    /// reading.</param>
    public static IEnumerable<Flow> Read(string path, Action<Exception> onError)
    {
        Counter counter = new(path, onError);
        foreach ((string name, bool isDirectory) in counter.Names(path))
        {
            string sectionPath = Path.Combine(path, name);
            if (!isDirectory || TreeName.ToSection(name) is not TreeSection section)
            {
                counter.Report(sectionPath, SectionReason);
                continue;
            }

            foreach ((string protocolName, bool isProtocolDirectory) in counter.Names(sectionPath))
            {
                string protocolPath = Path.Combine(sectionPath, protocolName);
                if (!isProtocolDirectory || TreeName.ToProtocol(protocolName) is not FlowProtocol protocol)
                {
                    counter.Report(protocolPath, ProtocolReason);
                    continue;
                }

                foreach ((string entryName, bool isEntryDirectory) in counter.Names(protocolPath))
                {
                    if (isEntryDirectory || ToFlow(section, protocol, entryName) is not Flow flow)
                    {
                        counter.Report(Path.Combine(protocolPath, entryName), EntryReason);
                        continue;
                    }

                    yield return flow;
                }
            }
        }
    }

    // The flow must be written to the same name again: otherwise exporting it would create another tree.
    private static Flow? ToFlow(TreeSection section, FlowProtocol protocol, string name)
    {
        Span<byte> bytes = stackalloc byte[TreeName.MaxLength];
        if (!Encoding.UTF8.TryGetBytes(name, bytes, out int length) || !TreeName.TryParse(section, protocol, bytes[..length], out TreeEntry entry))
        {
            return null;
        }

        Flow flow = entry.ToFlow();
        return TreeEntry.Of(flow, InternetFolding.None) == entry ? flow : null;
    }

    private sealed class Counter(string root, Action<Exception> onError)
    {
        private long _number;

        // A directory that cannot be read, or disappears while it is read, is one error; the caller handles the tree's own.
        public IEnumerable<(string Name, bool IsDirectory)> Names(string path)
        {
            IEnumerator<(string Name, bool IsDirectory)>? names = null;
            try
            {
                while (MoveNext(path, ref names))
                {
                    _number++;
                    yield return names!.Current;
                }
            }
            finally
            {
                names?.Dispose();
            }
        }

        public void Report(string path, string reason) =>
            onError(new LogFormatException(LogFormat.Tree, _number, Encoding.UTF8.GetBytes(Path.GetRelativePath(root, path)), reason));

        private bool MoveNext(string path, ref IEnumerator<(string Name, bool IsDirectory)>? names)
        {
            try
            {
                names ??= new FileSystemEnumerable<(string, bool)>(
                    path, (ref FileSystemEntry entry) =>
                        (entry.FileName.ToString(), entry.IsDirectory && !entry.Attributes.HasFlag(FileAttributes.ReparsePoint)), s_all).GetEnumerator();
                return names.MoveNext();
            }
            catch (Exception error) when (path != root && error is IOException or UnauthorizedAccessException)
            {
                onError(error);
                return false;
            }
        }
    }
}
