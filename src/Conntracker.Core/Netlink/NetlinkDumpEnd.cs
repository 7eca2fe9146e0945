namespace Conntracker.Core.Netlink;

/// <summary>Handles a message of a dump.</summary>
internal delegate void MessageHandler(in NetlinkMessage message);

/// <summary>How a dump ended.</summary>
/// <param name="Error">The error number with which the kernel refused; 0 for none.</param>
/// <param name="IsWhole">False when a change interrupted the dump, which may then lack something or have it twice.</param>
internal readonly record struct NetlinkDumpEnd(int Error, bool IsWhole);
