using System.Runtime.CompilerServices;

namespace Conntracker.Tests.Fuzz;

/// <summary>
/// SplitMix64 (Steele, Lea and Flood, 2014): numbers that depend on the seed only, on every machine and with every version of .NET. Made for each
/// input, so that any input can be made again by its number alone.
/// </summary>
internal struct FuzzRandom
{
    private const ulong Increment = 0x9E37_79B9_7F4A_7C15;

    private ulong _state;

    /// <summary>The numbers of one input.</summary>
    /// <param name="seed">The run's seed.</param>
    /// <param name="stream">What tells harnesses apart: their inputs differ.</param>
    /// <param name="number">The input's number.</param>
    public FuzzRandom(ulong seed, ulong stream, ulong number) => _state = Mix(Mix(seed + Increment) ^ stream) ^ Mix(number);

    /// <summary>64 bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong Next() => Mix(_state += Increment);

    /// <summary>A number from 0 to below a limit of at least 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Next(int limit) => (int)(((Next() >> 32) * (ulong)limit) >> 32);

    /// <summary>True once in so many times.</summary>
    public bool OneIn(int times) => Next(times) == 0;

    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 30)) * 0xBF58_476D_1CE4_E5B9;
        value = (value ^ (value >> 27)) * 0x94D0_49BB_1331_11EB;
        return value ^ (value >> 31);
    }
}
