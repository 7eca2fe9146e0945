namespace Conntracker.Core.Flows;

/// <summary>The processes at the ends of a flow; null where none is known, or the end is not on this host.</summary>
/// <param name="Originator">The one that began it.</param>
/// <param name="Responder">The one that answers.</param>
internal readonly record struct FlowEnds(FlowProcess? Originator, FlowProcess? Responder)
{
    /// <summary>Behind the original direction: the originator, or the one process that there is on this host.</summary>
    public FlowProcess? Original => Originator ?? Responder;

    /// <summary>Behind the reply direction: who answers, or the one process that there is on this host.</summary>
    public FlowProcess? Reply => Responder ?? Originator;
}
