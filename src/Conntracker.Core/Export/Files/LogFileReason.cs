namespace Conntracker;

/// <summary>Why a log file was not written.</summary>
public enum LogFileReason
{
    /// <summary>Another failure; the message has the system's error text.</summary>
    Other = 0,

    /// <summary>The path is a symbolic link, and a link could point the writer, who is often root, at any file.</summary>
    TargetIsLink = 1,

    /// <summary>The file at the path belongs to another user.</summary>
    ForeignOwner = 2,

    /// <summary>The path is a directory, a pipe, a device or a socket.</summary>
    NotRegular = 3,

    /// <summary>A file exists at the path and was not to be replaced.</summary>
    Exists = 4,

    /// <summary>The disk is full, or a quota or size limit is reached.</summary>
    NoSpace = 5,

    /// <summary>Permission to write there is denied.</summary>
    Denied = 6,

    /// <summary>The directory does not exist.</summary>
    MissingDirectory = 7,

    /// <summary>A tree was to be written, and its path is not a directory.</summary>
    NotFolder = 8,
}
