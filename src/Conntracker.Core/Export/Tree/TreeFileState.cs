namespace Conntracker.Core.Export.Tree;

/// <summary>The state of an entry's file while its tree is open.</summary>
internal struct TreeFileState
{
    /// <summary>The <see cref="Time"/> of a file whose time was not read yet.</summary>
    public const long Unread = -1;

    /// <summary>The file's time of last modification as it was set or read: ticks of UTC; <see cref="Unread"/>.</summary>
    public long Time;

    /// <summary>When a flow of the entry was last seen: ticks of UTC; 0 when that is not known.</summary>
    public long LastSeen;

    /// <summary>When <see cref="Time"/> was set: a timestamp of the tree's <see cref="TimeProvider"/>; null when this process has not set it.</summary>
    public long? Stamp;

    /// <summary>Whether the entry was created for an unanswered flow, and no answered one has matched it since.</summary>
    public bool IsUnanswered;

    /// <summary>Whether the file must still get a later time.</summary>
    public readonly bool IsBehind => LastSeen > Math.Max(0, Time);
}
