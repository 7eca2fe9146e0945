using System.Buffers.Binary;
using System.Text;
using Conntracker.Core.Processes;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What stands in the compiled eBPF programs: whatever they find, they let every call and every packet go on.</summary>
public class ProgramTests
{
    private const int SectionHeadLength = 64;
    private const int InstructionLength = 8;
    private const byte Exit = 0x95;

    // r0 = 1
    private static readonly byte[] s_allow = [0xb7, 0, 0, 0, 1, 0, 0, 0];

    [Fact]
    public void Every_program_can_only_end_with_the_answer_1()
    {
        List<(string Name, byte[] Code)> programs = Programs();
        Assert.Contains(programs, each => each.Name == "cgroup/connect4");
        Assert.Contains(programs, each => each.Name == "cgroup_skb/egress");
        foreach ((string name, byte[] code) in programs)
        {
            int exits = 0;
            for (int at = 0; at < code.Length; at += InstructionLength)
            {
                if (code[at] == Exit)
                {
                    exits++;
                    Assert.True(code.AsSpan(at - InstructionLength, InstructionLength).SequenceEqual(s_allow),
                        $"{name} ends at instruction {at / InstructionLength} with another answer.");
                }
            }

            Assert.True(exits > 0, $"{name} has no end.");
        }
    }

    private static List<(string Name, byte[] Code)> Programs()
    {
        Assert.SkipWhen(AttributionPrograms.MissingAtBuild is not null, $"This build has no eBPF programs: {AttributionPrograms.MissingAtBuild}.");
        byte[] elf = AttributionPrograms.Image!;
        long table = BinaryPrimitives.ReadInt64LittleEndian(elf.AsSpan(0x28));
        int count = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(0x3c));
        int names = BinaryPrimitives.ReadUInt16LittleEndian(elf.AsSpan(0x3e));
        ReadOnlySpan<byte> namesHead = Header(names);
        int namesAt = (int)BinaryPrimitives.ReadInt64LittleEndian(namesHead[0x18..]);
        List<(string, byte[])> programs = [];
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = Header(i);
            ReadOnlySpan<byte> name = elf.AsSpan(namesAt + BinaryPrimitives.ReadInt32LittleEndian(header));
            string text = Encoding.ASCII.GetString(name[..name.IndexOf((byte)0)]);
            bool isCode = (BinaryPrimitives.ReadInt64LittleEndian(header[8..]) & 4) != 0;
            int length = (int)BinaryPrimitives.ReadInt64LittleEndian(header[0x20..]);
            if (isCode && length > 0)
            {
                programs.Add((text, elf.AsSpan((int)BinaryPrimitives.ReadInt64LittleEndian(header[0x18..]), length).ToArray()));
            }
        }

        return programs;

        ReadOnlySpan<byte> Header(int section) => elf.AsSpan((int)table + (section * SectionHeadLength), SectionHeadLength);
    }
}
