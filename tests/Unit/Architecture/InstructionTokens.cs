using System.Reflection;
using System.Reflection.Emit;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;

namespace Conntracker.Tests.Unit.Architecture;

/// <summary>The metadata tokens in the instructions of a method (ECMA-335, III).</summary>
internal static class InstructionTokens
{
    private static readonly Dictionary<ushort, OperandType> s_operands = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(each => (OpCode)each.GetValue(null)!)
        .ToDictionary(each => (ushort)each.Value, each => each.OperandType);

    /// <summary>Lists what the instructions call, read, make or test for.</summary>
    public static List<EntityHandle> Of(BlobReader code)
    {
        const byte TwoBytes = 0xFE;
        List<EntityHandle> tokens = [];
        while (code.RemainingBytes > 0)
        {
            ushort value = code.ReadByte();
            value = value == TwoBytes ? (ushort)((TwoBytes << 8) | code.ReadByte()) : value;
            switch (s_operands[value])
            {
                case OperandType.InlineField or OperandType.InlineMethod or OperandType.InlineTok or OperandType.InlineType:
                    tokens.Add((EntityHandle)MetadataTokens.Handle(code.ReadInt32()));
                    break;
                case OperandType.InlineSwitch:
                    int targets = code.ReadInt32();
                    code.Offset += targets * sizeof(int);
                    break;
                case OperandType.InlineI8 or OperandType.InlineR:
                    code.Offset += sizeof(long);
                    break;
                case OperandType.InlineBrTarget or OperandType.InlineI or OperandType.InlineSig or OperandType.InlineString or OperandType.ShortInlineR:
                    code.Offset += sizeof(int);
                    break;
                case OperandType.InlineVar:
                    code.Offset += sizeof(short);
                    break;
                case OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar:
                    code.Offset += sizeof(byte);
                    break;
                default:
                    break;
            }
        }

        return tokens;
    }
}
