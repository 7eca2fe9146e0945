using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Reflection.PortableExecutable;

namespace Conntracker.Tests.Unit.Architecture;

/// <summary>
/// The types of a compiled assembly: the source file of each, and the types of the same assembly that it refers to in its declaration, its members'
/// signatures and its code. Nested types, closures and iterators count as their outermost type. Constants are not seen: the compiler copies their values.
/// </summary>
internal sealed class AssemblyTypes
{
    // "TypeDefinitionDocuments": the files of types that have no code, such as enumerations and interfaces.
    private static readonly Guid s_typeDocuments = new("932E74BC-DBA9-4478-8D46-0F32A7BAB3D3");

    private readonly Dictionary<string, HashSet<string>> _files = [];
    private readonly Dictionary<string, HashSet<string>> _references = [];
    private readonly MetadataReader _types;
    private readonly MetadataReader _symbols;
    private readonly PEReader _code;

    private AssemblyTypes(PEReader code, MetadataReader symbols)
    {
        _code = code;
        _types = code.GetMetadataReader();
        _symbols = symbols;
        foreach (TypeDefinitionHandle handle in _types.TypeDefinitions)
        {
            Read(handle);
        }
    }

    /// <summary>The source files of each type, by the type's full name. A partial type may have several.</summary>
    public IReadOnlyDictionary<string, HashSet<string>> Files => _files;

    /// <summary>What each type refers to, by full names.</summary>
    public IReadOnlyDictionary<string, HashSet<string>> References => _references;

    /// <summary>Reads an assembly and the portable PDB beside it.</summary>
    public static AssemblyTypes Load(string assembly)
    {
        using PEReader code = new(File.OpenRead(assembly));
        using MetadataReaderProvider symbols = MetadataReaderProvider.FromPortablePdbStream(File.OpenRead(Path.ChangeExtension(assembly, ".pdb")));
        return new AssemblyTypes(code, symbols.GetMetadataReader());
    }

    private void Read(TypeDefinitionHandle handle)
    {
        string name = NameOf(handle);
        if (!_references.TryGetValue(name, out HashSet<string>? references))
        {
            _references.Add(name, references = []);
            _files.Add(name, []);
        }

        TypeDefinition type = _types.GetTypeDefinition(handle);
        ReferenceCollector collector = new(_types, each => references.Add(NameOf(each)));
        collector.Add(type.BaseType);
        foreach (InterfaceImplementationHandle each in type.GetInterfaceImplementations())
        {
            collector.Add(_types.GetInterfaceImplementation(each).Interface);
        }

        foreach (GenericParameterHandle parameter in type.GetGenericParameters())
        {
            foreach (GenericParameterConstraintHandle each in _types.GetGenericParameter(parameter).GetConstraints())
            {
                collector.Add(_types.GetGenericParameterConstraint(each).Type);
            }
        }

        foreach (FieldDefinitionHandle each in type.GetFields())
        {
            _types.GetFieldDefinition(each).DecodeSignature(collector, null);
        }

        foreach (MethodDefinitionHandle each in type.GetMethods())
        {
            ReadMethod(each, collector, _files[name]);
        }

        foreach (CustomDebugInformationHandle each in _symbols.GetCustomDebugInformation(handle))
        {
            CustomDebugInformation information = _symbols.GetCustomDebugInformation(each);
            if (_symbols.GetGuid(information.Kind) == s_typeDocuments)
            {
                BlobReader documents = _symbols.GetBlobReader(information.Value);
                while (documents.RemainingBytes > 0)
                {
                    _files[name].Add(NameOf(MetadataTokens.DocumentHandle(documents.ReadCompressedInteger())));
                }
            }
        }

        references.Remove(name);
    }

    private void ReadMethod(MethodDefinitionHandle handle, ReferenceCollector collector, HashSet<string> files)
    {
        MethodDefinition method = _types.GetMethodDefinition(handle);
        method.DecodeSignature(collector, null);
        MethodDebugInformation debug = _symbols.GetMethodDebugInformation(handle.ToDebugInformationHandle());
        if (!debug.Document.IsNil)
        {
            files.Add(NameOf(debug.Document));
        }

        if (method.RelativeVirtualAddress == 0)
        {
            return;
        }

        MethodBodyBlock body = _code.GetMethodBody(method.RelativeVirtualAddress);
        if (!body.LocalSignature.IsNil)
        {
            _types.GetStandaloneSignature(body.LocalSignature).DecodeLocalSignature(collector, null);
        }

        foreach (ExceptionRegion region in body.ExceptionRegions)
        {
            collector.Add(region.CatchType);
        }

        foreach (EntityHandle each in InstructionTokens.Of(body.GetILReader()))
        {
            collector.Add(each);
        }
    }

    private string NameOf(DocumentHandle handle) => _symbols.GetString(_symbols.GetDocument(handle).Name);

    private string NameOf(TypeDefinitionHandle handle)
    {
        TypeDefinition type = _types.GetTypeDefinition(handle);
        while (type.IsNested)
        {
            type = _types.GetTypeDefinition(type.GetDeclaringType());
        }

        string space = _types.GetString(type.Namespace);
        string name = _types.GetString(type.Name);
        return space.Length == 0 ? name : space + "." + name;
    }
}
