using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Conntracker.Core.Rulesets;

/// <summary>A number that stands for rules: equal for equal rules, and (but for chance, once in 2^64) no other.</summary>
internal static class IptablesEntries
{
    // Odd, as it must be to undo the multiplication.
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

    /// <summary>Adds a table's entries to a number, their counters left out. What is no entry any more is added as it is.</summary>
    /// <param name="hash">The number so far.</param>
    /// <param name="entries">The entries, as the kernel gives them.</param>
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

    // Each step can be undone: two numbers that differ stay different until another word makes them meet.
    private static ulong Mix(ulong hash, ulong word) => BitOperations.RotateLeft((hash ^ word) * Factor, 29);
}
