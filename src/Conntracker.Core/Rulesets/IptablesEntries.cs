using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Rulesets;

/// <summary>A hash of rules: equal for equal rules, and different for others (a collision has a chance of 1 in 2^64).</summary>
internal static class IptablesEntries
{
    // Odd, so that the multiplication is invertible.
    private const ulong Factor = 0x9E37_79B9_7F4A_7C15;

    /// <summary>Adds bytes to a number.</summary>
    public static ulong Hash(ulong hash, ReadOnlySpan<byte> bytes)
    {
        ReadOnlySpan<ulong> words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (ulong word in words)
        {
            hash = Mix(hash, word);
        }

        ulong rest = (ulong)bytes.Length;
        foreach (byte each in bytes[(words.Length * sizeof(ulong))..])
        {
            rest = (rest << 8) | each;
        }

        return Mix(hash, rest);
    }

    /// <summary>Adds a table's entries to a hash, without their counters. Malformed entries are added as they are.</summary>
    /// <param name="hash">The hash so far.</param>
    /// <param name="entries">The entries, as the kernel returns them.</param>
    /// <param name="layout">The family.</param>
    public static ulong Hash(ulong hash, ReadOnlySpan<byte> entries, IptablesLayout layout)
    {
        while (entries.Length >= layout.EntryLength)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(entries[layout.EntryNext..]);
            if (length < layout.EntryLength || length > entries.Length)
            {
                break;
            }

            hash = Hash(hash, entries[..layout.EntryCounters]);
            hash = Hash(hash, entries[(layout.EntryCounters + IptablesLayout.CountersLength)..length]);
            entries = entries[length..];
        }

        return Hash(hash, entries);
    }

    // Each step is invertible: two different hashes stay different until another word makes them equal.
    private static ulong Mix(ulong hash, ulong word) => BitOperations.RotateLeft((hash ^ word) * Factor, 29);
}
