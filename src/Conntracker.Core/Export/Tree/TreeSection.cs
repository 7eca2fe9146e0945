namespace Conntracker.Core.Export.Tree;

/// <summary>The first level of a tree: the direction of its flows, seen from the host.</summary>
internal enum TreeSection : byte
{
    /// <summary>Flows that neither begin nor end here for certain: forwarded, within this host, or of unknown direction. Never <c>INTERNET</c>.</summary>
    Else = 0,

    /// <summary>Inbound flows.</summary>
    In = 1,

    /// <summary>Outbound flows.</summary>
    Out = 2,
}
