using System.Globalization;
using Conntracker.Tests.Fuzz.Harnesses;

namespace Conntracker.Tests.Fuzz;

/// <summary>
/// Runs mutated inputs through every decoder and reader: <c>FOLDER [minutes] [--inputs N] [--seed N] [--jobs N] [--harness NAME]</c>, or runs inputs
/// again that failed: <c>FOLDER replay FILE…</c> and <c>FOLDER replay HARNESS SEED NUMBER</c>.
/// </summary>
internal static class Program
{
    private const double DefaultMinutes = 10;

    private static int Main(string[] arguments)
    {
        try
        {
            string folder = arguments[0];
            string[] rest = arguments[1..];
            return rest is ["replay", .. string[] what] ? Replay(folder, what) : Fuzz(folder, rest);
        }
        catch (Exception error) when (error is FormatException or OverflowException or IndexOutOfRangeException or ArgumentException or IOException)
        {
            Console.Error.WriteLine(error.Message);
            Console.Error.WriteLine("usage: fuzz [minutes] [--inputs N] [--seed N] [--jobs N] [--harness NAME]");
            Console.Error.WriteLine("       fuzz replay FILE… | HARNESS SEED NUMBER");
            return 2;
        }
    }

    private static int Fuzz(string folder, string[] arguments)
    {
        double? minutes = null;
        long inputs = long.MaxValue;
        ulong seed = (ulong)Random.Shared.NextInt64();
        int jobs = Environment.ProcessorCount;
        string? harness = null;
        for (int i = 0; i < arguments.Length; i++)
        {
            switch (arguments[i])
            {
                case "--inputs":
                    inputs = long.Parse(arguments[++i], CultureInfo.InvariantCulture);
                    break;
                case "--seed":
                    seed = ulong.Parse(arguments[++i], CultureInfo.InvariantCulture);
                    break;
                case "--jobs":
                    jobs = int.Parse(arguments[++i], CultureInfo.InvariantCulture);
                    break;
                case "--harness":
                    harness = arguments[++i];
                    break;
                default:
                    minutes = double.Parse(arguments[i], CultureInfo.InvariantCulture);
                    break;
            }
        }

        using HarnessList all = new();
        Harness[] chosen = harness is null ? [.. all.Harnesses] : [all.Find(harness)];
        TimeSpan time = TimeSpan.FromMinutes(minutes ?? (inputs == long.MaxValue ? DefaultMinutes : TimeSpan.MaxValue.TotalMinutes / 2));
        Console.WriteLine($"{chosen.Length} harnesses, seed {seed}, {jobs} threads.");
        return new FuzzRun(chosen, seed, folder, Console.Out).Run(time, inputs, Math.Min(jobs, chosen.Length)) ? 0 : 1;
    }

    private static int Replay(string folder, string[] what)
    {
        using HarnessList all = new();
        List<Finding> findings = [];
        if (what is [string harness, string seed, string number] && !File.Exists(harness))
        {
            FuzzInput input = new();
            Finding made = new(harness, ulong.Parse(seed, CultureInfo.InvariantCulture), ulong.Parse(number, CultureInfo.InvariantCulture), "", []);
            all.Find(harness).Make(input, made.Seed, made.Number!.Value);
            made = made with { Input = input.Bytes.ToArray() };

            // Written before it is run, which may end the process.
            Console.WriteLine($"The input: {made.Write(folder)}");
            findings.Add(made);
        }
        else
        {
            // out/fuzz/HARNESS-HASH.bin.
            foreach (string path in what)
            {
                string name = Path.GetFileName(path);
                findings.Add(new Finding(name[..Math.Max(0, name.LastIndexOf('-'))], 0, null, "", File.ReadAllBytes(path)));
            }
        }

        int failed = 0;
        foreach (Finding each in findings)
        {
            HarnessRunner runner = new(all.Find(each.Harness), each.Seed, HarnessRunner.Patience);
            runner.RunCorpus();
            string? reason = runner.RunOne(each.Input);
            failed += reason is null ? 0 : 1;
            string figures = string.Create(
                CultureInfo.InvariantCulture, $"{runner.Slowest.TotalMilliseconds:0.000} ms, {runner.LargestAllocation:N0} bytes allocated");
            Console.WriteLine($"{each.Harness}, {each.Input.Length} bytes: {reason ?? $"passed, {figures}"}");
        }

        return failed == 0 ? 0 : 1;
    }
}
