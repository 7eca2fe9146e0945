using System.Text.Encodings.Web;
using System.Text.Json;

namespace Conntracker.Core.Hosts;

/// <summary>Hosts in JSON. What is read is checked: names and addresses come into the input of other programs.</summary>
internal static class FirewallHostJson
{
    private const int LargestFile = 256 * 1024 * 1024;

    private static readonly JsonWriterOptions s_options = new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>A host as JSON, with a line feed at its end. Maps are sorted, so that equal hosts have the same text.</summary>
    public static byte[] Write(FirewallHost host)
    {
        using MemoryStream stream = new();
        using (Utf8JsonWriter writer = new(stream, s_options))
        {
            FirewallHost sorted = host with { Settings = Sort(host.Settings), Users = Sort(host.Users), Groups = Sort(host.Groups) };
            JsonSerializer.Serialize(writer, sorted, FirewallHostJsonContext.Default.FirewallHost);
        }

        stream.WriteByte((byte)'\n');
        return stream.ToArray();
    }

    /// <summary>Reads a file.</summary>
    /// <exception cref="ConntrackException">It cannot be opened, or is no description of a host.</exception>
    public static FirewallHost Load(string path)
    {
        byte[] bytes;
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            using MemoryStream content = new();
            byte[] buffer = new byte[64 * 1024];
            while (file.Read(buffer) is > 0 and int count)
            {
                content.Write(buffer, 0, count);
                if (content.Length > LargestFile)
                {
                    throw new IOException($"It is larger than {LargestFile / 1024 / 1024} MiB.");
                }
            }

            bytes = content.ToArray();
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConntrackException(
                ConntrackErrorReason.HostDescriptionFailed, $"The description of a host '{path}' cannot be read: {error.Message}", error);
        }

        return Read(bytes, $"'{path}'");
    }

    /// <summary>Reads UTF-8.</summary>
    /// <param name="json">The text.</param>
    /// <param name="source">Where it is from; the beginning of error messages.</param>
    /// <exception cref="ConntrackException">It is no description of a host.</exception>
    public static FirewallHost Read(ReadOnlySpan<byte> json, string source)
    {
        if (json.Trim(" \t\r\n"u8).IsEmpty)
        {
            throw new ConntrackException(ConntrackErrorReason.HostDescriptionInvalid, $"{source}: it is empty.");
        }

        HostJsonReader reader = new(json.StartsWith("\uFEFF"u8) ? json[3..] : json, source);
        FirewallHost host = reader.ReadObject(new FirewallHost(), ReadHost);
        reader.End();
        return host;
    }

    private static SortedDictionary<string, T> Sort<T>(IReadOnlyDictionary<string, T> map) => new(map.ToDictionary(), StringComparer.Ordinal);

    private static FirewallHost ReadHost(ref HostJsonReader reader, string name, FirewallHost host) => name switch
    {
        nameof(host.Name) => host with { Name = reader.ReadText() },
        nameof(host.KernelRelease) => host with { KernelRelease = reader.ReadText() },
        nameof(host.ReadAt) => host with { ReadAt = reader.ReadTime() },
        nameof(host.Interfaces) => host with { Interfaces = CheckInterfaces(ref reader, reader.ReadList(ReadInterface)) },
        nameof(host.Routes) => host with { Routes = reader.ReadList(ReadRoute) },
        nameof(host.RoutingRules) => host with { RoutingRules = reader.ReadList(ReadRule) },
        nameof(host.Settings) => host with { Settings = reader.ReadMap(ReadSetting) },
        nameof(host.IpSets) => host with { IpSets = reader.ReadList(ReadIpSet) },
        nameof(host.Users) => host with { Users = reader.ReadMap(ReadAccount) },
        nameof(host.Groups) => host with { Groups = reader.ReadMap(ReadAccount) },
        nameof(host.Notices) => host with { Notices = reader.ReadList((ref each) => each.ReadText()) },
        _ => throw reader.Unknown(),
    };

    private static List<FirewallInterface> CheckInterfaces(ref HostJsonReader reader, List<FirewallInterface> interfaces)
    {
        if (interfaces.GroupBy(each => each.Name, StringComparer.Ordinal).FirstOrDefault(each => each.Count() > 1) is { } name)
        {
            throw reader.Fault($"two interfaces have the name '{name.Key}'");
        }

        return interfaces.GroupBy(each => each.Index).FirstOrDefault(each => each.Count() > 1) is { } index
            ? throw reader.Fault($"the interfaces '{index.First().Name}' and '{index.Last().Name}' have the same index {index.Key}")
            : interfaces;
    }

    private static FirewallInterface ReadInterface(ref HostJsonReader reader)
    {
        FirewallInterface found = reader.ReadObject(new FirewallInterface { Name = "", Index = 0 }, ReadInterface);
        return found.Name.Length == 0 ? throw reader.Fault($"the property {nameof(found.Name)} is missing")
            : found.Index == 0 ? throw reader.Fault($"the property {nameof(found.Index)} is missing")
            : found.PeerAddresses.Count is not 0 and int peers && peers != found.Addresses.Count
            ? throw reader.Fault($"{nameof(found.PeerAddresses)} has {peers} elements, and {nameof(found.Addresses)} {found.Addresses.Count}")
            : found;
    }

    private static FirewallInterface ReadInterface(ref HostJsonReader reader, string name, FirewallInterface found) => name switch
    {
        nameof(found.Name) => found with { Name = reader.ReadInterfaceName() },
        nameof(found.Index) => found with { Index = (int)reader.ReadNumber(1, int.MaxValue) },
        nameof(found.Kind) => found with { Kind = reader.ReadOptional((ref each) => each.ReadWord()) },
        nameof(found.LinkType) => found with { LinkType = (ushort)reader.ReadNumber(0, ushort.MaxValue) },
        nameof(found.Group) => found with { Group = (uint)reader.ReadNumber(0, uint.MaxValue) },
        nameof(found.Mtu) => found with { Mtu = (uint)reader.ReadNumber(0, uint.MaxValue) },
        nameof(found.IsUp) => found with { IsUp = reader.ReadBoolean() },
        nameof(found.LinkAddress) => found with { LinkAddress = reader.ReadOptional((ref each) => each.ReadLinkAddress()) },
        nameof(found.Master) => found with { Master = reader.ReadOptional((ref each) => each.ReadInterfaceName()) },
        nameof(found.AlternativeNames) => found with { AlternativeNames = reader.ReadList((ref each) => each.ReadWord()) },
        nameof(found.Addresses) => found with { Addresses = reader.ReadList((ref each) => each.ReadPrefix()) },
        nameof(found.PeerAddresses) => found with { PeerAddresses = reader.ReadList((ref each) => each.ReadPrefix(mayBeEmpty: true)) },
        nameof(found.MulticastGroups) => found with { MulticastGroups = reader.ReadList((ref each) => each.ReadAddress()) },
        _ => throw reader.Unknown(),
    };

    private static FirewallRoute ReadRoute(ref HostJsonReader reader)
    {
        FirewallRoute found = reader.ReadObject(new FirewallRoute { Destination = "" }, ReadRoute);
        return found.Destination.Length == 0 ? throw reader.Fault($"the property {nameof(found.Destination)} is missing") : found;
    }

    private static FirewallRoute ReadRoute(ref HostJsonReader reader, string name, FirewallRoute found) => name switch
    {
        nameof(found.Destination) => found with { Destination = reader.ReadPrefix() },
        nameof(found.Interface) => found with { Interface = reader.ReadOptional((ref each) => each.ReadInterfaceName()) },
        nameof(found.Gateway) => found with { Gateway = reader.ReadOptional((ref each) => each.ReadAddress()) },
        nameof(found.Source) => found with { Source = reader.ReadOptional((ref each) => each.ReadAddress()) },
        nameof(found.Type) => found with { Type = reader.ReadOneOf(HostRouteDecoder.Types) },
        nameof(found.Table) => found with { Table = (uint)reader.ReadNumber(1, uint.MaxValue) },
        nameof(found.Metric) => found with { Metric = (uint)reader.ReadNumber(0, uint.MaxValue) },
        nameof(found.Protocol) => found with { Protocol = (byte)reader.ReadNumber(0, byte.MaxValue) },
        nameof(found.Scope) => found with { Scope = (byte)reader.ReadNumber(0, byte.MaxValue) },
        nameof(found.IsOnLink) => found with { IsOnLink = reader.ReadBoolean() },
        _ => throw reader.Unknown(),
    };

    private static FirewallRoutingRule ReadRule(ref HostJsonReader reader)
    {
        FirewallRoutingRule found = reader.ReadObject(new FirewallRoutingRule { Family = FlowFamily.None, Priority = 0 }, ReadRule);
        return found.Family == FlowFamily.None ? throw reader.Fault($"the property {nameof(found.Family)} is missing")
            : found is { Action: "lookup", Table: 0 } ? throw reader.Fault($"the property {nameof(found.Table)} is missing, which the action lookup needs")
            : found;
    }

    private static FirewallRoutingRule ReadRule(ref HostJsonReader reader, string name, FirewallRoutingRule found) => name switch
    {
        nameof(found.Family) => found with { Family = reader.ReadFamily() },
        nameof(found.Priority) => found with { Priority = (uint)reader.ReadNumber(0, uint.MaxValue) },
        nameof(found.Action) => found with { Action = reader.ReadOneOf(RoutingRuleDecoder.Actions) },
        nameof(found.Table) => found with { Table = (uint)reader.ReadNumber(0, uint.MaxValue) },
        nameof(found.Source) => found with { Source = reader.ReadOptional((ref each) => each.ReadPrefix()) },
        nameof(found.Destination) => found with { Destination = reader.ReadOptional((ref each) => each.ReadPrefix()) },
        nameof(found.InInterface) => found with { InInterface = reader.ReadOptional((ref each) => each.ReadInterfaceName()) },
        nameof(found.OutInterface) => found with { OutInterface = reader.ReadOptional((ref each) => each.ReadInterfaceName()) },
        nameof(found.Mark) => found with { Mark = reader.ReadOptionalNumber(uint.MaxValue) is long mark ? (uint)mark : null },
        nameof(found.MarkMask) => found with { MarkMask = (uint)reader.ReadNumber(0, uint.MaxValue) },
        nameof(found.IsInverted) => found with { IsInverted = reader.ReadBoolean() },
        nameof(found.SuppressPrefixLength) => found with { SuppressPrefixLength = (int?)reader.ReadOptionalNumber(128) },
        _ => throw reader.Unknown(),
    };

    private static FirewallIpSet ReadIpSet(ref HostJsonReader reader)
    {
        FirewallIpSet found = reader.ReadObject(new FirewallIpSet { Name = "", Text = "" }, ReadIpSet);
        return found.Name.Length == 0 ? throw reader.Fault($"the property {nameof(found.Name)} is missing")
            : found.Text.Length == 0 ? throw reader.Fault($"the property {nameof(found.Text)} is missing")
            : found;
    }

    private static FirewallIpSet ReadIpSet(ref HostJsonReader reader, string name, FirewallIpSet found) => name switch
    {
        nameof(found.Name) => found with { Name = reader.ReadText() },
        nameof(found.Text) => found with { Text = reader.ReadText() },
        _ => throw reader.Unknown(),
    };

    // A number is what a hand-written file may have for it, and what ConvertTo-Json never writes.
    private static string ReadSetting(ref HostJsonReader reader, string name) => HostSettings.IsName(name)
        ? reader.ReadSettingValue()
        : throw reader.Fault("it is not the name of a setting below net (net.ipv4.ip_forward)");

    private static uint ReadAccount(ref HostJsonReader reader, string name) => name.Length > 0 && !name.Any(each => each is ':' || char.IsControl(each))
        ? (uint)reader.ReadNumber(0, uint.MaxValue)
        : throw reader.Fault("it is not the name of a user or group");
}
