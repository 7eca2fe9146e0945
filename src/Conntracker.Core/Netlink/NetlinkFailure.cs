namespace Conntracker.Core.Netlink;

/// <summary>A request of a batch that the kernel refused.</summary>
/// <param name="Subject">What the request was about, as the caller named it.</param>
/// <param name="Errno">The error number, above 0.</param>
/// <param name="Text">The kernel's own explanation; null when it gave none.</param>
internal readonly record struct NetlinkFailure(object Subject, int Errno, string? Text);
