using System.Globalization;
using System.Numerics;

namespace Conntracker.Tests.Fuzz;

/// <summary>An input that failed.</summary>
/// <param name="Harness">The harness.</param>
/// <param name="Seed">The run's seed.</param>
/// <param name="Number">The input's number: with the seed it makes the input again. Null for an input that was read from a file, or of the corpus.</param>
/// <param name="Reason">What happened: an exception with its stack, the time, or the memory.</param>
/// <param name="Input">The input.</param>
internal sealed record Finding(string Harness, ulong Seed, ulong? Number, string Reason, byte[] Input)
{
    /// <summary>Writes the input; gives the file's path.</summary>
    /// <param name="folder">Where.</param>
    public string Write(string folder)
    {
        uint hash = 0;
        foreach (byte each in Input)
        {
            hash = BitOperations.Crc32C(hash, each);
        }

        Directory.CreateDirectory(folder);
        string path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Harness}-{hash:x8}.bin"));
        File.WriteAllBytes(path, Input);
        return path;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        string number = Number?.ToString(CultureInfo.InvariantCulture) ?? "of the corpus";
        return string.Create(CultureInfo.InvariantCulture, $"{Harness}: {Reason}\n  seed {Seed}, input {number}, {Input.Length} bytes");
    }
}
