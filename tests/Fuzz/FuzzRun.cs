using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;

namespace Conntracker.Tests.Fuzz;

/// <summary>
/// Runs all harnesses in turns on several threads, each for the same time, until the time is over, enough inputs were run, or one failed.
/// </summary>
internal sealed class FuzzRun
{
    private static readonly TimeSpan s_turn = TimeSpan.FromSeconds(1);

    /// <summary>An input that runs for so long is taken for an endless loop.</summary>
    private static readonly TimeSpan s_hang = TimeSpan.FromSeconds(20);

    private readonly List<HarnessRunner> _runners;
    private readonly ConcurrentQueue<HarnessRunner> _waiting;
    private readonly ulong _seed;
    private readonly string _folder;
    private readonly TextWriter _output;
    private readonly ConcurrentQueue<Finding> _findings = [];
    private volatile bool _isOver;

    /// <summary>Makes a run.</summary>
    /// <param name="harnesses">What is run.</param>
    /// <param name="seed">Decides over all inputs.</param>
    /// <param name="folder">Where inputs are written that failed.</param>
    /// <param name="output">Is told of them, and gets the table.</param>
    public FuzzRun(IEnumerable<Harness> harnesses, ulong seed, string folder, TextWriter output)
    {
        _seed = seed;
        _folder = folder;
        _output = TextWriter.Synchronized(output);
        _runners = [.. harnesses.Select(each => new HarnessRunner(each, seed, HarnessRunner.Patience))];
        _waiting = new ConcurrentQueue<HarnessRunner>(_runners);
    }

    /// <summary>Runs until the end; false when an input failed.</summary>
    /// <param name="time">For how long.</param>
    /// <param name="inputs">How many inputs at most, of all harnesses together.</param>
    /// <param name="workers">Threads.</param>
    public bool Run(TimeSpan time, long inputs, int workers)
    {
        foreach (HarnessRunner runner in _runners)
        {
            if (runner.RunCorpus() is Finding finding)
            {
                Report(finding);
            }
        }

        long began = Stopwatch.GetTimestamp();
        RunningInput[] running = [.. Enumerable.Range(0, workers).Select(each => new RunningInput(_folder, each))];
        Thread[] threads = [.. running.Select(each => new Thread(() => Work(each)) { IsBackground = true })];
        Array.ForEach(threads, each => each.Start());
        while (!_isOver && _findings.IsEmpty && Stopwatch.GetElapsedTime(began) < time && _runners.Sum(each => each.Inputs) < inputs)
        {
            Thread.Sleep(100);
            Array.ForEach(running, ReportHang);
        }

        _isOver = true;
        Array.ForEach(threads, each => each.Join(s_hang));
        Array.ForEach(running, each => each.Dispose());
        WriteTable();
        return _findings.IsEmpty;
    }

    private void Work(RunningInput running)
    {
        while (!_isOver && _waiting.TryDequeue(out HarnessRunner? runner))
        {
            running.Begin(runner.Harness, _seed);
            if (runner.Run(long.MaxValue, s_turn, running) is Finding finding)
            {
                Report(finding);
            }

            running.End();
            _waiting.Enqueue(runner);
        }
    }

    private void Report(Finding finding)
    {
        _findings.Enqueue(finding);
        _output.WriteLine(finding);
        _output.WriteLine($"  The input: {finding.Write(_folder)}");
    }

    // The thread cannot be ended; the process is.
    private void ReportHang(RunningInput running)
    {
        (TimeSpan time, ulong number) = running.Now;
        if (time > s_hang && running.Harness is Harness harness)
        {
            FuzzInput input = new();
            harness.Make(input, _seed, number);
            Report(new Finding(harness.Name, _seed, number, $"It has not ended after {time.TotalSeconds:0} s.", input.Bytes.ToArray()));
            Environment.Exit(1);
        }
    }

    private void WriteTable()
    {
        Write("harness", "inputs", "inputs/s", "slowest", "largest allocation");
        foreach (HarnessRunner each in _runners)
        {
            Write(
                each.Harness.Name,
                Number(each.Inputs),
                Number((long)(each.Inputs / Math.Max(each.Elapsed.TotalSeconds, 1e-9))),
                string.Create(CultureInfo.InvariantCulture, $"{each.Slowest.TotalMilliseconds:0.000} ms"),
                $"{Number(each.LargestAllocation)} bytes");
        }

        _output.WriteLine($"{Number(_runners.Sum(each => each.Inputs))} inputs, seed {_seed}, {_findings.Count} failed");
    }

    private static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private void Write(string harness, string inputs, string rate, string slowest, string allocation) =>
        _output.WriteLine($"{harness,-18} {inputs,15} {rate,12} {slowest,12} {allocation,20}");
}
