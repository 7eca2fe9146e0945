using System.Globalization;
using System.Text.Json;

namespace Conntracker.Bench;

/// <summary>The figures: a table for people, JSON for programs.</summary>
internal sealed class Report
{
    private readonly List<Figure> _figures = [];

    public bool IsGood => _figures.TrueForAll(each => each.IsGood != false);

    public void Add(string name, double value, string unit, double limit) =>
        _figures.Add(new Figure(name, value, unit, $"at most {limit.ToString(CultureInfo.InvariantCulture)}", value <= limit));

    public void AddAtLeast(string name, double value, string unit, double limit) =>
        _figures.Add(new Figure(name, value, unit, $"at least {limit.ToString(CultureInfo.InvariantCulture)}", value >= limit));

    public void AddReference(string name, double value, string unit) => _figures.Add(new Figure(name, value, unit, Target: null, IsGood: null));

    public void Print(TextWriter writer)
    {
        int width = _figures.Max(each => each.Name.Length);
        foreach (Figure figure in _figures)
        {
            string verdict = figure.IsGood switch { true => "good", false => "MISSED", null => "" };
            string value = figure.Value.ToString("#,##0.###", CultureInfo.InvariantCulture);
            writer.WriteLine($"{figure.Name.PadRight(width)} {value,12} {figure.Unit,-6} {figure.Target,-14} {verdict}".TrimEnd());
        }
    }

    public void Save(string path)
    {
        File.WriteAllText(path, JsonSerializer.Serialize(_figures, BenchJson.Default.ListFigure));
        Console.Error.WriteLine($"bench: written to {path}");
    }
}
