namespace Conntracker.Core.Export.Tree;

/// <summary>The first level of a tree: where its flows go, seen from the host.</summary>
internal enum TreeSection : byte
{
    /// <summary>Everything that neither begins nor ends here for certain: through this host, within it, or not known. Not folded.</summary>
    Else = 0,

    /// <summary>What comes in.</summary>
    In = 1,

    /// <summary>What goes out.</summary>
    Out = 2,
}
