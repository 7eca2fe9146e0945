using Conntracker.Core.Rulesets;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The number that stands for the legacy rules: another one for other rules, the same whatever they count.</summary>
public sealed class IptablesEntriesTests
{
    private static readonly IptablesLayout[] s_layouts = [IptablesLayout.IPv4, IptablesLayout.IPv6];

    [Fact]
    public void Counters_are_left_out_and_every_other_byte_counts()
    {
        foreach (IptablesLayout layout in s_layouts)
        {
            byte[] entries = Entries(layout, 3, 40);
            ulong before = IptablesEntries.Hash(7, entries, layout);
            int length = layout.EntryLength + 40;
            for (int i = 0; i < entries.Length; i++)
            {
                byte[] changed = [.. entries];
                changed[i] ^= 4;
                bool isCounter = i % length >= layout.EntryCounters && i % length < layout.EntryCounters + IptablesLayout.CountersLength;
                Assert.True((IptablesEntries.Hash(7, changed, layout) == before) == isCounter, $"Byte {i} of {entries.Length}.");
            }
        }
    }

    [Fact]
    public void The_order_of_rules_counts()
    {
        byte[] one = Entries(IptablesLayout.IPv4, 2, 40);
        byte[] other = [.. one[152..], .. one[..152]];
        Assert.NotEqual(IptablesEntries.Hash(0, one, IptablesLayout.IPv4), IptablesEntries.Hash(0, other, IptablesLayout.IPv4));
    }

    [Fact]
    public void Sizes_that_make_no_sense_and_bytes_that_end_early_are_harmless()
    {
        Random random = new(42);
        foreach (IptablesLayout layout in s_layouts)
        {
            byte[] entries = Entries(layout, 4, 13);
            for (int i = 0; i < 20_000; i++)
            {
                byte[] damaged = entries[..random.Next(entries.Length)];
                if (damaged.Length > 0)
                {
                    random.NextBytes(damaged.AsSpan(random.Next(damaged.Length)));
                }

                IptablesEntries.Hash(0, damaged, layout);
            }

            foreach (int size in (int[])[0, 1, layout.EntryLength - 1, layout.EntryLength + 200, ushort.MaxValue])
            {
                byte[] damaged = Entries(layout, 1, 0);
                BitConverter.TryWriteBytes(damaged.AsSpan(layout.EntryNext), (ushort)size);
                Assert.NotEqual(IptablesEntries.Hash(0, [], layout), IptablesEntries.Hash(0, damaged, layout));
            }
        }
    }

    private static byte[] Entries(IptablesLayout layout, int count, int more)
    {
        byte[] entries = new byte[count * (layout.EntryLength + more)];
        new Random(1).NextBytes(entries);
        for (int start = 0; start < entries.Length; start += layout.EntryLength + more)
        {
            BitConverter.TryWriteBytes(entries.AsSpan(start + layout.EntryNext), (ushort)(layout.EntryLength + more));
        }

        return entries;
    }
}
