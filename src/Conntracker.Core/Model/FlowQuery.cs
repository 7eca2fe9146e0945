using System.Globalization;
using System.IO.Enumeration;

namespace Conntracker;

/// <summary>
/// Selects flows. An empty list or null selects all. All conditions must hold; of a list, one entry must.
/// </summary>
public sealed class FlowQuery
{
    /// <summary>Every flow.</summary>
    public static FlowQuery All { get; } = new();

    /// <summary>Protocols.</summary>
    public IReadOnlyList<FlowProtocol> Protocols { get; init; } = [];

    /// <summary>Ranges of the originator's address, before NAT.</summary>
    public IReadOnlyList<AddressRange> SrcAddresses { get; init; } = [];

    /// <summary>Ranges of the address that the originator sent to, before NAT.</summary>
    public IReadOnlyList<AddressRange> DstAddresses { get; init; } = [];

    /// <summary>The originator's port. A flow without ports does not match.</summary>
    public IReadOnlyList<PortRange> SrcPorts { get; init; } = [];

    /// <summary>The port that the originator sent to. A flow without ports does not match.</summary>
    public IReadOnlyList<PortRange> DstPorts { get; init; } = [];

    /// <summary>States.</summary>
    public IReadOnlyList<FlowState> States { get; init; } = [];

    /// <summary>Verdicts.</summary>
    public IReadOnlyList<FlowVerdict> Verdicts { get; init; } = [];

    /// <summary>Names of processes at either end; <c>*</c> and <c>?</c> stand for any characters, and case is ignored.</summary>
    public IReadOnlyList<string> ProcessNames { get; init; } = [];

    /// <summary>Ids of processes at either end.</summary>
    public IReadOnlyList<int> ProcessIds { get; init; } = [];

    /// <summary>Names of users of the processes at either end, with wildcards, or their numbers.</summary>
    public IReadOnlyList<string> UserNames { get; init; } = [];

    /// <summary>Only flows that were seen at this time or later (<see cref="Flow.LastSeen"/>).</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>The query in words.</summary>
    public override string ToString()
    {
        (string Name, IEnumerable<string> Values)[] parts =
        [
            ("protocol", Protocols.Select(each => each.ToString())),
            ("from", SrcAddresses.Select(each => each.ToString())),
            ("from port", SrcPorts.Select(each => each.ToString())),
            ("to", DstAddresses.Select(each => each.ToString())),
            ("to port", DstPorts.Select(each => each.ToString())),
            ("state", States.Select(each => each.ToString())),
            ("verdict", Verdicts.Select(each => each.ToString())),
            ("process", ProcessNames),
            ("process id", ProcessIds.Select(each => each.ToString(CultureInfo.InvariantCulture))),
            ("user", UserNames),
            ("since", Since is DateTimeOffset since ? [since.ToString("O", CultureInfo.InvariantCulture)] : []),
        ];
        string text = string.Join(", ", parts.Where(part => part.Values.Any()).Select(part => $"{part.Name} {string.Join(" or ", part.Values)}"));
        return text.Length == 0 ? "every flow" : text;
    }

    /// <summary>Whether the processes at a flow's ends match: one of them must meet all conditions on processes.</summary>
    internal bool MatchesProcess(FlowProcess? originator, FlowProcess? responder) =>
        (ProcessNames.Count == 0 && ProcessIds.Count == 0 && UserNames.Count == 0) || Matches(originator) || Matches(responder);

    private bool Matches(FlowProcess? process) =>
        process is not null
        && (ProcessIds.Count == 0 || ProcessIds.Contains(process.Id))
        && Any(ProcessNames, process.Name)
        && (Any(UserNames, process.UserName) || Any(UserNames, process.UserId?.ToString(CultureInfo.InvariantCulture)));

    private static bool Any(IReadOnlyList<string> wanted, string? value)
    {
        for (int i = 0; i < wanted.Count; i++)
        {
            if (value is not null && FileSystemName.MatchesSimpleExpression(wanted[i], value))
            {
                return true;
            }
        }

        return wanted.Count == 0;
    }
}
