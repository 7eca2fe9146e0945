namespace Conntracker.Core.Flows;

/// <summary>What a conntrack message says.</summary>
internal enum FlowUpdateKind : byte
{
    /// <summary>A connection was confirmed (IPCTNL_MSG_CT_NEW with NLM_F_CREATE).</summary>
    New,

    /// <summary>A connection changed (IPCTNL_MSG_CT_NEW without NLM_F_CREATE).</summary>
    Update,

    /// <summary>A connection is gone (IPCTNL_MSG_CT_DELETE).</summary>
    Destroy,

    /// <summary>A connection that the kernel's table holds: an answer to a dump.</summary>
    Dumped,
}
