namespace Conntracker;

/// <summary>The three generations of the text log.</summary>
public enum LogStyle : byte
{
    /// <summary>Flows alone: client ports are 1024, <c>(confirmed)</c> when both sides have sent packets.</summary>
    V1 = 1,

    /// <summary>As V1, with every rule and policy that the flow traversed.</summary>
    V2 = 2,

    /// <summary>Real ports, the process of the flow, a line for the reply direction, and the rules of every table but raw.</summary>
    V3 = 3,
}
