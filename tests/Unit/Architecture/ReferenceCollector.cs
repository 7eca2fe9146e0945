using System.Collections.Immutable;
using System.Reflection.Metadata;

namespace Conntracker.Tests.Unit.Architecture;

/// <summary>Reports the types of an assembly that a handle or a signature of its metadata names.</summary>
/// <param name="types">The assembly's metadata.</param>
/// <param name="report">Called for each type of the assembly itself.</param>
internal sealed class ReferenceCollector(MetadataReader types, Action<TypeDefinitionHandle> report) : ISignatureTypeProvider<object?, object?>
{
    /// <summary>Adds what a handle names: a type, a member, or an instance of a generic one.</summary>
    public void Add(EntityHandle handle)
    {
        if (handle.IsNil)
        {
            return;
        }

        switch (handle.Kind)
        {
            case HandleKind.TypeDefinition:
                report((TypeDefinitionHandle)handle);
                break;
            case HandleKind.TypeSpecification:
                types.GetTypeSpecification((TypeSpecificationHandle)handle).DecodeSignature(this, null);
                break;
            case HandleKind.FieldDefinition:
                report(types.GetFieldDefinition((FieldDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.MethodDefinition:
                report(types.GetMethodDefinition((MethodDefinitionHandle)handle).GetDeclaringType());
                break;
            case HandleKind.MethodSpecification:
                MethodSpecification method = types.GetMethodSpecification((MethodSpecificationHandle)handle);
                Add(method.Method);
                method.DecodeSignature(this, null);
                break;
            case HandleKind.MemberReference:
                AddMember(types.GetMemberReference((MemberReferenceHandle)handle));
                break;
            default:
                // Types of other assemblies, and strings.
                break;
        }
    }

    /// <inheritdoc/>
    public object? GetTypeFromDefinition(MetadataReader reader, TypeDefinitionHandle handle, byte rawTypeKind)
    {
        report(handle);
        return null;
    }

    /// <inheritdoc/>
    public object? GetTypeFromSpecification(MetadataReader reader, object? genericContext, TypeSpecificationHandle handle, byte rawTypeKind)
    {
        Add(handle);
        return null;
    }

    /// <inheritdoc/>
    public object? GetTypeFromReference(MetadataReader reader, TypeReferenceHandle handle, byte rawTypeKind) => null;

    /// <inheritdoc/>
    public object? GetArrayType(object? elementType, ArrayShape shape) => null;

    /// <inheritdoc/>
    public object? GetByReferenceType(object? elementType) => null;

    /// <inheritdoc/>
    public object? GetFunctionPointerType(MethodSignature<object?> signature) => null;

    /// <inheritdoc/>
    public object? GetGenericInstantiation(object? genericType, ImmutableArray<object?> typeArguments) => null;

    /// <inheritdoc/>
    public object? GetGenericMethodParameter(object? genericContext, int index) => null;

    /// <inheritdoc/>
    public object? GetGenericTypeParameter(object? genericContext, int index) => null;

    /// <inheritdoc/>
    public object? GetModifiedType(object? modifier, object? unmodifiedType, bool isRequired) => null;

    /// <inheritdoc/>
    public object? GetPinnedType(object? elementType) => null;

    /// <inheritdoc/>
    public object? GetPointerType(object? elementType) => null;

    /// <inheritdoc/>
    public object? GetPrimitiveType(PrimitiveTypeCode typeCode) => null;

    /// <inheritdoc/>
    public object? GetSZArrayType(object? elementType) => null;

    private void AddMember(MemberReference member)
    {
        Add(member.Parent);
        if (member.GetKind() == MemberReferenceKind.Method)
        {
            member.DecodeMethodSignature(this, null);
        }
        else
        {
            member.DecodeFieldSignature(this, null);
        }
    }
}
