using System.Text.Json;
using Conntracker.Core.Policies.Network;

namespace Conntracker.Core.Policies.TrialProcess;

/// <summary>
/// The process of a trial: reads a <see cref="TrialSetup"/> and then probes, a line each, and writes a <see cref="TrialReady"/> and then results. It has
/// network and mount namespaces of its own, and ends with its input.
/// </summary>
internal sealed class TrialServer
{
    private readonly TextReader _input;
    private readonly Stream _output;

    /// <param name="input">Where requests come from.</param>
    /// <param name="output">Where results go.</param>
    public TrialServer(TextReader input, Stream output)
    {
        _input = input;
        _output = output;
    }

    /// <summary>Serves until the input ends.</summary>
    /// <returns>False when the trial could not be made; the reason was written.</returns>
    public bool Run()
    {
        if (_input.ReadLine() is not string line
            || JsonSerializer.Deserialize(line, TrialJsonContext.Default.TrialSetup) is not TrialSetup setup)
        {
            return false;
        }

        try
        {
            Serve(setup);
            return true;
        }
        catch (ConntrackException error)
        {
            Write(new TrialReady { Error = error.Message, ErrorReason = error.Reason });
            return false;
        }
    }

    private void Serve(TrialSetup setup)
    {
        using HostNetwork network = HostNetwork.Build(setup.Host);
        using RulesetLoader loader = new();
        using TrialTables tables = TrialTables.Create();
        TrialSelfTest.Run(network, tables);
        List<string> notices = [.. network.Notices];
        foreach (RulesetSource source in setup.Rulesets)
        {
            if (loader.Load(source) is string left)
            {
                notices.Add(left);
            }
        }

        if (!tables.Has("inet", TrialTables.Name))
        {
            throw new ConntrackException(
                ConntrackErrorReason.KernelFeatureMissing,
                "The ruleset removed the tables of the trial: this kernel has no tables with an owner (Linux 5.12 or later has).");
        }

        LoadedRuleset ruleset = LoadedRuleset.Read();
        RemovedPositions removed = ruleset.Remove(setup.Without, tables, loader);
        if (ruleset.NeedsIngress)
        {
            tables.AddIngress(network.Devices.Select(each => each.Name));
        }

        TrialSteps steps = new(ruleset, removed);
        using ShotReader reader = new(steps, ruleset.HasIptables);
        using RawSender raw = new();
        using TrialConnections connections = new();
        ProbeTester tester = new(network, raw, reader, steps, ruleset, connections, setup.TestsReplies);
        Write(new TrialReady { Rules = RuleLines.Add(ruleset.Rules, setup.Rulesets), Notices = notices });
        bool hasMarks = ruleset.NeedsIngress;
        while (_input.ReadLine() is string line)
        {
            // An empty line asks for the results so far.
            if (line.Length == 0)
            {
                _output.Flush();
                continue;
            }

            TrialProbe probe = JsonSerializer.Deserialize(line, TrialJsonContext.Default.TrialProbe)!;
            if (probe.Mark != 0 && !hasMarks)
            {
                tables.AddIngress(network.Devices.Select(each => each.Name));
                hasMarks = true;
            }

            Write(JsonSerializer.SerializeToUtf8Bytes(tester.Test(probe), TrialJsonContext.Default.TrialResult));
        }

        _output.Flush();
    }

    private void Write(TrialReady ready)
    {
        Write(JsonSerializer.SerializeToUtf8Bytes(ready, TrialJsonContext.Default.TrialReady));
        _output.Flush();
    }

    private void Write(byte[] line)
    {
        _output.Write(line);
        _output.WriteByte((byte)'\n');
    }
}
