namespace Conntracker;

/// <summary>The three generations of the text log.</summary>
public enum LogStyle : byte
{
    /// <summary>Flows alone: client ports folded to 1024, <c>(confirmed)</c> when both sides have spoken.</summary>
    V1 = 1,

    /// <summary>As V1, with every rule and policy that the flow passed.</summary>
    V2 = 2,

    /// <summary>Ports as they are, the process behind the flow, a line for the reply direction, and the rules of every table but raw.</summary>
    V3 = 3,
}
