namespace Conntracker.Core.Policies.Network;

/// <summary>The route that the kernel chose for a packet.</summary>
/// <param name="Errno">0, or the error number: no route, or one that refuses.</param>
/// <param name="Type">The type (RTN_*); 0 for an error.</param>
/// <param name="Index">The outgoing interface's number; 0 for an error.</param>
internal readonly record struct RouteAnswer(int Errno, byte Type, int Index);
