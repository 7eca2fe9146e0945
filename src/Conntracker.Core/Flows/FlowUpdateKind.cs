namespace Conntracker.Core.Flows;

/// <summary>The kind of a conntrack message.</summary>
internal enum FlowUpdateKind : byte
{
    /// <summary>A connection was confirmed (IPCTNL_MSG_CT_NEW with NLM_F_CREATE).</summary>
    New,

    /// <summary>A connection changed (IPCTNL_MSG_CT_NEW without NLM_F_CREATE).</summary>
    Update,

    /// <summary>A connection has ended (IPCTNL_MSG_CT_DELETE).</summary>
    Destroy,

    /// <summary>A connection in the kernel's table: an answer to a dump.</summary>
    Dumped,
}
