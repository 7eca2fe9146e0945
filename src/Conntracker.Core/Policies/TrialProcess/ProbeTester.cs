using System.Net;
using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Conntracker.Core.Native;
using Conntracker.Core.Packets;
using Conntracker.Core.Policies.Network;
using Conntracker.Core.Policies.Network.Packets;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>Sends the first packet of a flow, and the one that answers it, through the rules, and says what the kernel did with them.</summary>
internal sealed class ProbeTester
{
    private const string Loopback = "lo";

    private const int DrainEvery = 64;
    private const int MaximumRoutes = 1 << 16;

    // Reports come late only where packets cannot be sent through tap devices.
    private const int Patience = 20;

    private readonly HostNetwork _network;
    private readonly RawSender _raw;
    private readonly ShotReader _reader;
    private readonly TrialSteps _steps;
    private readonly LoadedRuleset _ruleset;
    private readonly TrialConnections _connections;
    private readonly bool _testsReplies;
    private readonly Shot _shot = new();
    private readonly byte[] _packet = new byte[ProbePacketWriter.MaximumLength];
    private readonly byte[] _answered = new byte[ProbeReplyWriter.MaximumLength];
    private readonly Dictionary<IPAddress, AddressRoute> _routes = [];
    private ushort _number;
    private int _sent;

    public ProbeTester(
        HostNetwork network, RawSender raw, ShotReader reader, TrialSteps steps, LoadedRuleset ruleset, TrialConnections connections, bool testsReplies)
    {
        _network = network;
        _raw = raw;
        _reader = reader;
        _steps = steps;
        _ruleset = ruleset;
        _connections = connections;
        _testsReplies = testsReplies;
    }

    /// <summary>Tests a flow.</summary>
    public TrialResult Test(TrialProbe probe)
    {
        FlowKey key = KeyOf(probe);
        ProbeTuple tuple = ProbeTupleOf(in key);
        Route route = RouteOf(probe, in key);
        if (route.Reason is not null)
        {
            return new TrialResult { Reason = route.Reason };
        }

        int length = ProbePacketWriter.Write(_packet, in tuple, NextNumber(), ProbeKind.First);
        Send(_packet.AsSpan(0, length), route, probe);
        ShotVerdict verdict = ShotVerdict.Of(_shot);
        TrialResult result = new()
        {
            Verdict = verdict.Verdict,
            Rule = IndexOf(verdict.Decider),
            Reason = verdict.Reason ?? (verdict.Verdict == FlowVerdict.Unknown ? ReasonOf(probe, route) : null),
            Path = Numbers(),
            DependsOn = Dependencies(probe.Protocol),
        };
        if (verdict.Verdict == FlowVerdict.Accepted)
        {
            result = result with { Translated = TranslatedOf(in key) };
            result = _testsReplies ? TestReply(result, in key, probe) : result;
            _connections.Delete(in key);
        }

        return result with { NewSteps = _steps.TakeNew() };
    }

    private TrialResult TestReply(TrialResult result, in FlowKey key, TrialProbe probe)
    {
        PacketTuple end = _shot.EndPacket;
        ProbeDevice? device = _shot.End == OwnChain.LastPostrouting ? _network.Find(_shot.EndInterface) : null;
        ProbeTuple emerged = ProbeTupleOf(in end.Key);
        int length = ProbePacketWriter.Write(_packet, in emerged, _number, ProbeKind.First);
        length = ProbeReplyWriter.Write(_answered, _packet.AsSpan(0, length), NextNumber());
        if (length == 0 || (_shot.End == OwnChain.LastPostrouting && device is null))
        {
            return result;
        }

        Send(_answered.AsSpan(0, length), new Route(device, null), new TrialProbe { Protocol = probe.Protocol, Src = probe.Dst, Dst = probe.Src });
        ShotVerdict verdict = ShotVerdict.Of(_shot);
        string? reason = verdict.Verdict switch
        {
            FlowVerdict.Accepted when !IsMirror(in key) =>
                $"the answer arrives as {TupleOf(_shot.EndPacket.Key)}, which does not belong to the request",
            FlowVerdict.Unknown => $"the answer: {verdict.Reason ?? SilentReason()}",
            _ => verdict.Reason is string text ? $"the answer: {text}" : null,
        };
        return result with
        {
            HasReply = true,
            ReplyVerdict = verdict.Verdict == FlowVerdict.Accepted && reason is not null ? FlowVerdict.Unknown : verdict.Verdict,
            ReplyRule = IndexOf(verdict.Decider),
            ReplyPath = Numbers(),
            Reason = result.Reason ?? reason,
            DependsOn = result.DependsOn | Dependencies(probe.Protocol),
        };
    }

    private void Send(ReadOnlySpan<byte> packet, Route route, TrialProbe probe)
    {
        _reader.Begin();
        _shot.Begin(PacketFingerprint.Of(packet));
        _shot.Errno = route.Device is ProbeDevice device
            ? device.Send(packet, route.Link, probe.Mark)
            : _raw.Send(packet, probe.UserId, probe.Mark, route.OutDevice);
        _reader.Read(_shot);
        for (int waited = 0; !_network.IsSynchronous && !_shot.IsOver && waited < Patience; waited++)
        {
            _reader.Wait(1);
            _reader.Read(_shot);
        }

        // Nobody else reads what leaves the host past the trial's last chain: copies, and what chains at egress saw.
        if (++_sent % DrainEvery == 0)
        {
            _network.Drain();
        }
    }

    private Route RouteOf(TrialProbe probe, in FlowKey key)
    {
        AddressRoute back = RouteOf(probe.Src);
        if (probe.In is null && (back.IsLocal || IsUnspecified(in key)))
        {
            return probe.Out is null || probe.Out == Loopback || _network.Find(probe.Out) is not null
                ? new Route(null, probe.Out)
                : new Route($"the host has no interface {probe.Out}");
        }

        if ((probe.In is null ? back.Device : _network.Find(probe.In)) is not ProbeDevice device)
        {
            return new Route(probe.In is null
                ? $"no route leads back to {probe.Src}: the interface that it comes in by is not known"
                : $"the host has no interface {probe.In}");
        }

        // The host of the flow was a member of the group, or there would be no flow.
        if (key.Original.Dst.IsMulticastOrBroadcast(key.Family))
        {
            _ = _network.JoinGroup(probe.Dst, device);
        }

        return new Route(device, null) { Link = RouteOf(probe.Dst).Link };
    }

    // The kernel is asked once for each address.
    private AddressRoute RouteOf(IPAddress address)
    {
        if (!_routes.TryGetValue(address, out AddressRoute route))
        {
            bool isLocal = _network.IsLocal(address);
            route = new AddressRoute(isLocal, isLocal ? null : _network.InInterfaceFor(address), _network.LinkDestinationFor(address));
            if (_routes.Count == MaximumRoutes)
            {
                _routes.Clear();
            }

            _routes.Add(address, route);
        }

        return route;
    }

    // A host that has no address yet asks for one (DHCP).
    private static bool IsUnspecified(in FlowKey key) => key.Original.Src == default;

    private string ReasonOf(TrialProbe probe, Route route) => _shot.Errno switch
    {
        0 => SilentReason(),
        int errno when errno == ENETUNREACH || errno == EHOSTUNREACH => $"no route leads to {probe.Dst}",
        int errno => $"the packet could not be sent{(route.Device is null ? "" : $" through {route.Device.Name}")}: {Errno.Describe(errno)}",
    };

    private string SilentReason() => (_shot.HasBegun, _shot.LastStep?.View.Hook) switch
    {
        (false, _) => "the kernel dropped the packet before the first rule",
        (true, var hook) =>
            $"the kernel dropped the packet outside the rules{(hook is null ? "" : $", after the hook {hook}")}: its addresses do not fit the interface "
            + "(rp_filter, martian), no route leads on, or a rule switched tracing off",
    };

    private FlowTestDependency Dependencies(FlowProtocol protocol)
    {
        FlowTestDependency sum = FlowTestDependency.None;
        IReadOnlyList<TrialStep> steps = _shot.Steps;
        for (int i = 0; i < steps.Count; i++)
        {
            TraceStep view = steps[i].View;
            string family = view.Family ?? (_shot.EndPacket.Key.Family == FlowFamily.IPv6 ? "ip6" : "ip");
            sum |= _ruleset.DependenciesUpTo(view.Engine, family, view.Table, view.Chain, view.Position ?? int.MaxValue, protocol);
        }

        return sum;
    }

    private bool IsMirror(in FlowKey key)
    {
        PacketTuple end = _shot.EndPacket;
        FlowKey mirror = FlowKey.Reverse(in end.Key);
        return FlowKey.IsIcmp(key.Protocol)
            ? mirror.Original.Src == key.Original.Src && mirror.Original.Dst == key.Original.Dst && mirror.Original.SrcPort == key.Original.SrcPort
            : FlowKey.AreEqual(in mirror, in key);
    }

    private FlowTuple? TranslatedOf(in FlowKey key)
    {
        PacketTuple end = _shot.EndPacket;
        return FlowKey.AreEqual(in end.Key, in key) ? null : TupleOf(in end.Key);
    }

    private static FlowTuple TupleOf(in FlowKey key)
    {
        bool hasPorts = FlowKey.HasPorts(key.Protocol);
        return new FlowTuple
        {
            Protocol = key.Protocol,
            SrcAddress = key.Original.Src.ToIPAddress(key.Family),
            SrcPort = hasPorts ? key.Original.SrcPort : null,
            DstAddress = key.Original.Dst.ToIPAddress(key.Family),
            DstPort = hasPorts ? key.Original.DstPort : null,
        };
    }

    private static ProbeTuple ProbeTupleOf(in FlowKey key)
    {
        bool isIcmp = FlowKey.IsIcmp(key.Protocol);
        return new ProbeTuple
        {
            Family = key.Family,
            Protocol = key.Protocol,
            Source = key.Original.Src,
            Destination = key.Original.Dst,
            SourcePort = isIcmp ? (ushort)0 : key.Original.SrcPort,
            DestinationPort = isIcmp ? (ushort)0 : key.Original.DstPort,
            IcmpType = isIcmp ? key.Original.IcmpType : (byte)0,
            IcmpCode = isIcmp ? key.Original.IcmpCode : (byte)0,
            IcmpId = isIcmp ? key.Original.SrcPort : (ushort)0,
        };
    }

    private static FlowKey KeyOf(TrialProbe probe)
    {
        FlowKey key = default;
        key.Protocol = probe.Protocol;
        key.Family = probe.Dst.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? FlowFamily.IPv6 : FlowFamily.IPv4;
        key.Original.Src = AddressBits.From(probe.Src);
        key.Original.Dst = AddressBits.From(probe.Dst);
        bool isIcmp = FlowKey.IsIcmp(probe.Protocol);
        key.Original.SrcPort = isIcmp ? probe.IcmpId : probe.SrcPort;
        key.Original.DstPort = isIcmp ? (ushort)((probe.IcmpType << 8) | probe.IcmpCode) : probe.DstPort;
        return key;
    }

    private int[] Numbers()
    {
        IReadOnlyList<TrialStep> steps = _shot.Steps;
        int[] numbers = new int[steps.Count];
        for (int i = 0; i < numbers.Length; i++)
        {
            numbers[i] = steps[i].Number;
        }

        return numbers;
    }

    private static int? IndexOf(TrialStep? step) => step is { Rule: >= 0 } ? step.Rule : null;

    // Never 0: the kernel would choose another one.
    private ushort NextNumber() => _number = _number == ushort.MaxValue ? (ushort)1 : (ushort)(_number + 1);

    private readonly record struct AddressRoute(bool IsLocal, ProbeDevice? Device, LinkDestination Link);

    // Where a packet is sent in: a device, or a raw socket, whose packets may be forced to leave by an interface.
    private readonly record struct Route(ProbeDevice? Device, string? OutDevice, LinkDestination Link = LinkDestination.ByAddress)
    {
        public Route(string reason)
            : this(null, null) => Reason = reason;

        public string? Reason { get; }
    }
}
