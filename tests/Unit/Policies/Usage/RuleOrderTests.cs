using Conntracker.Core.Policies.Usage;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>
/// Random rules and packets against a model of its own: the first rule that matches decides. No move that is proposed, and no duplicate that is removed,
/// changes the verdict on any packet.
/// </summary>
public sealed class RuleOrderTests
{
    private static readonly string[] s_addresses = ["10.0.0.0/8", "10.1.0.0/16", "10.1.2.3", "192.0.2.0/24", "192.0.2.128-192.0.2.200"];
    private static readonly string[] s_states = ["invalid", "established", "related", "new", "untracked"];
    private static readonly string[] s_interfaces = ["lo", "eth0", "eth1", "wg0"];

    [Theory]
    [InlineData(TraceEngine.Nftables)]
    [InlineData(TraceEngine.Iptables)]
    public void No_proposed_move_changes_a_verdict_and_the_saving_is_real(TraceEngine engine)
    {
        Random random = new(4711);
        int moves = 0;
        int duplicates = 0;
        for (int round = 0; round < 150; round++)
        {
            Model[] models = [.. Enumerable.Range(0, 12).Select(_ => Model.Random(random))];
            FirewallRule[] rules = [.. models.Select((model, i) => model.ToRule(engine, i + 1))];
            Packet[] packets = [.. Enumerable.Range(0, 400).Select(_ => Packet.Random(random))];
            long[] hits = new long[rules.Length];
            foreach (Packet packet in packets)
            {
                int first = First(models, packet);
                if (first >= 0)
                {
                    hits[first]++;
                }
            }

            RuleAnalysis analysis = new(rules, rule => hits[rule.Position - 1]);
            for (int i = 0; i < rules.Length; i++)
            {
                if (analysis.MoveOf(rules[i]) is ({ } before, long saved))
                {
                    moves++;
                    List<Model> moved = [.. models];
                    moved.RemoveAt(i);
                    moved.Insert(before.Position - 1, models[i]);
                    Assert.All(packets, packet => Assert.Same(Deciding(models, packet), Deciding([.. moved], packet)));
                    Assert.Equal(saved, packets.Sum(packet => (long)Evaluations(models, packet) - Evaluations([.. moved], packet)));
                }

                if (analysis.DuplicateOf(rules[i]) is { } same)
                {
                    duplicates++;
                    Assert.True(same.Position < i + 1);
                    List<Model> fewer = [.. models];
                    fewer.RemoveAt(i);
                    Assert.All(packets, packet => Assert.Equal(Deciding(models, packet)?.Verdict, Deciding([.. fewer], packet)?.Verdict));
                }
            }

            foreach ((FirewallRule rule, FirewallRule taker) in analysis.Candidates())
            {
                Assert.All(packets, packet => Assert.True(!models[rule.Position - 1].Matches(packet) || models[taker.Position - 1].Matches(packet)));
            }
        }

        Assert.True(moves > 100, $"{moves} moves");
        Assert.True(duplicates > 5, $"{duplicates} duplicates");
    }

    private static int First(Model[] models, Packet packet) => Array.FindIndex(models, model => model.Matches(packet));

    private static Model? Deciding(Model[] models, Packet packet) => First(models, packet) is >= 0 and int first ? models[first] : null;

    private static int Evaluations(Model[] models, Packet packet) => First(models, packet) is >= 0 and int first ? first + 1 : models.Length;

    private static uint Address(string text) => BitConverter.ToUInt32([.. System.Net.IPAddress.Parse(text).GetAddressBytes().Reverse()]);

    private sealed record Packet(string Protocol, uint Src, uint Dst, int DstPort, string State, string Interface)
    {
        public static Packet Random(Random random) => new(
            random.Next(3) switch { 0 => "tcp", 1 => "udp", _ => "icmp" },
            RandomAddress(random),
            RandomAddress(random),
            20 + random.Next(8),
            s_states[random.Next(5)],
            s_interfaces[random.Next(4)]);

        private static uint RandomAddress(Random random) => random.Next(4) switch
        {
            0 => Address("10.1.2.3"),
            1 => Address("10.1.0.0") + (uint)random.Next(65536),
            2 => Address("192.0.2.0") + (uint)random.Next(256),
            _ => Address("10.0.0.0") + (uint)random.Next(1 << 24),
        };
    }

    private sealed class Model
    {
        private readonly List<(string Nft, string Iptables, Func<Packet, bool> Matches)> _conditions = [];

        public required string Verdict { get; init; }

        public static Model Random(Random random)
        {
            Model model = new() { Verdict = random.Next(2) == 0 ? "accept" : "drop" };
            if (random.Next(3) > 0)
            {
                string protocol = random.Next(2) == 0 ? "tcp" : "udp";
                int first = 20 + random.Next(8);
                int last = Math.Min(27, first + random.Next(3));
                string range = first == last ? $"{first}" : $"{first}-{last}";
                bool isNegated = random.Next(6) == 0;
                string not = isNegated ? "!= " : "";
                model._conditions.Add((
                    $"{protocol} dport {not}{range}",
                    $"-p {protocol} -m {protocol} {(isNegated ? "! " : "")}--dport {range.Replace('-', ':')}",
                    packet => packet.Protocol == protocol && (packet.DstPort >= first && packet.DstPort <= last) != isNegated));
            }

            foreach (bool isSource in (bool[])[true, false])
            {
                if (random.Next(3) == 0)
                {
                    string text = s_addresses[random.Next(s_addresses.Length)];
                    bool isNegated = random.Next(5) == 0;
                    string word = isSource ? "saddr" : "daddr";
                    bool isRange = text.Contains('-', StringComparison.Ordinal);
                    string option = isRange ? (isSource ? "-m iprange {0}--src-range" : "-m iprange {0}--dst-range") : isSource ? "{0}-s" : "{0}-d";
                    model._conditions.Add((
                        $"ip {word} {(isNegated ? "!= " : "")}{text}",
                        $"{option.Replace("{0}", isNegated ? "! " : "", StringComparison.Ordinal)} {text}",
                        packet => IsIn(text, isSource ? packet.Src : packet.Dst) != isNegated));
                }
            }

            if (random.Next(4) == 0)
            {
                string[] states = [.. s_states.Where(_ => random.Next(2) == 0)];
                states = states.Length == 0 ? ["new"] : states;
                model._conditions.Add((
                    random.Next(2) == 0 ? $"ct state {string.Join(',', states)}" : $"ct state {{ {string.Join(", ", states)} }}",
                    $"-m conntrack --ctstate {string.Join(',', states).ToUpperInvariant()}",
                    packet => states.Contains(packet.State)));
            }

            if (random.Next(4) == 0)
            {
                string name = random.Next(3) == 0 ? "eth*" : s_interfaces[random.Next(4)];
                bool isNegated = random.Next(4) == 0;
                model._conditions.Add((
                    $"iifname {(isNegated ? "!= " : "")}\"{name}\"",
                    $"{(isNegated ? "! " : "")}-i {name.Replace('*', '+')}",
                    packet => (name == "eth*" ? packet.Interface.StartsWith("eth", StringComparison.Ordinal) : packet.Interface == name) != isNegated));
            }

            return model;
        }

        public bool Matches(Packet packet) => _conditions.TrueForAll(condition => condition.Matches(packet));

        public FirewallRule ToRule(TraceEngine engine, int position) => new()
        {
            Engine = engine,
            Family = "ip",
            Table = "filter",
            Chain = "INPUT",
            Position = position,
            Verdict = Verdict,
            Text = engine == TraceEngine.Nftables
                ? string.Join(' ', [.. _conditions.Select(condition => condition.Nft), .. position % 2 == 0 ? (string[])["counter"] : [], Verdict])
                : string.Join(' ', _conditions.Select(condition => condition.Iptables).Append($"-j {Verdict.ToUpperInvariant()}")),
        };

        private static bool IsIn(string text, uint address)
        {
            string[] ends = text.Split('-');
            if (ends.Length == 2)
            {
                return address >= Address(ends[0]) && address <= Address(ends[1]);
            }

            string[] parts = text.Split('/');
            int prefix = parts.Length == 1 ? 32 : int.Parse(parts[1], System.Globalization.CultureInfo.InvariantCulture);
            return ((address ^ Address(parts[0])) >> (32 - prefix)) == 0;
        }
    }
}
