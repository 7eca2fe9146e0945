using System.Globalization;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using System.Runtime.InteropServices;
using System.Text;
using Conntracker.Core.Native;
using Tmds.Linux;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The C compiler proves what the engine uses of Tmds.LibC on this machine: each constant, and each struct's size and offsets.</summary>
public sealed class LibCTests : IDisposable
{
    private static readonly string[] s_headers =
        ["errno.h", "fcntl.h", "poll.h", "sched.h", "unistd.h", "sys/eventfd.h", "sys/ioctl.h", "sys/socket.h",
            "sys/stat.h", "sys/statvfs.h", "sys/uio.h", "netinet/in.h", "linux/if_packet.h"];

    // Seen as pointers only: the kernel's own types stand behind them.
    private static readonly string[] s_opaque = [nameof(sockaddr), nameof(file_handle)];

    private readonly CCompiler _compiler = new();

    public void Dispose() => _compiler.Dispose();

    [Fact]
    public void The_C_headers_agree_with_every_constant_that_the_engine_uses()
    {
        Prepare();
        (string Name, long Value)[] constants = [.. UsedConstants().Select(name => (name, Value(name)))];
        Assert.Contains(constants, each => each.Name == nameof(LibC.ENOBUFS));

        StringBuilder program = Begin();
        foreach ((string name, long value) in constants)
        {
            program.Append(CultureInfo.InvariantCulture, $"_Static_assert(({name}) == {value}, \"{name}\");\n");
        }

        Assert.True(_compiler.Accepts(program.ToString(), out string message), message);
    }

    [Fact]
    public void The_C_headers_agree_with_every_struct_that_the_engine_uses()
    {
        Prepare();
        Type[] structs = [.. UsedStructs()];
        Assert.Contains(typeof(mmsghdr), structs);

        StringBuilder program = Begin();
        foreach (Type type in structs)
        {
            program.Append(CultureInfo.InvariantCulture, $"_Static_assert(sizeof(struct {type.Name}) == {Marshal.SizeOf(type)}, \"{type.Name}\");\n");
            foreach (FieldInfo field in type.GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic)
                .Where(each => !each.Name.StartsWith("__", StringComparison.Ordinal)))
            {
                // The field behind a property: <fd>k__BackingField, _msg_iovlen.
                string name = field.Name.Split('<', '>') is [_, string property, _] ? property : field.Name.TrimStart('_');
                program.Append(CultureInfo.InvariantCulture,
                    $"_Static_assert(offsetof(struct {type.Name}, {name}) == {Marshal.OffsetOf(type, field.Name)}, \"{type.Name}.{name}\");\n");
            }
        }

        Assert.True(_compiler.Accepts(program.ToString(), out string message), message);
    }

    private static StringBuilder Begin() =>
        new("#define _GNU_SOURCE\n#include <stddef.h>\n" + string.Concat(s_headers.Select(each => $"#include <{each}>\n")));

    private static long Value(string constant)
    {
        object value = typeof(LibC).GetProperty(constant)!.GetValue(null)!;
        return value is IConvertible ? Convert.ToInt64(value, CultureInfo.InvariantCulture)
            : Convert.ToInt64(value.GetType().GetField("__value", BindingFlags.Instance | BindingFlags.NonPublic)!.GetValue(value),
                CultureInfo.InvariantCulture);
    }

    // What the compiled engine refers to.
    private static List<string> UsedConstants()
    {
        using PEReader engine = new(File.OpenRead(typeof(nlmsghdr).Assembly.Location));
        MetadataReader metadata = engine.GetMetadataReader();
        List<string> names = [];
        foreach (MemberReference member in metadata.MemberReferences.Select(metadata.GetMemberReference))
        {
            const string Getter = "get_";
            string name = metadata.GetString(member.Name);
            if (member.Parent.Kind == HandleKind.TypeReference && name.StartsWith(Getter, StringComparison.Ordinal)
                && IsOfLibC(metadata, metadata.GetTypeReference((TypeReferenceHandle)member.Parent), nameof(LibC)))
            {
                names.Add(name[Getter.Length..]);
            }
        }

        return names;
    }

    private static IEnumerable<Type> UsedStructs()
    {
        using PEReader engine = new(File.OpenRead(typeof(nlmsghdr).Assembly.Location));
        MetadataReader metadata = engine.GetMetadataReader();
        return [.. metadata.TypeReferences.Select(metadata.GetTypeReference)
            .Where(each => IsOfLibC(metadata, each))
            .Select(each => metadata.GetString(each.Name))
            .Where(each => each != nameof(LibC) && !each.EndsWith("_t", StringComparison.Ordinal) && !s_opaque.Contains(each))
            .Select(each => typeof(LibC).Assembly.GetType($"{typeof(LibC).Namespace}.{each}", throwOnError: true)!)];
    }

    private static bool IsOfLibC(MetadataReader metadata, TypeReference type, string? name = null) =>
        metadata.GetString(type.Namespace) == typeof(LibC).Namespace && (name is null || metadata.GetString(type.Name) == name);

    private void Prepare()
    {
        string? why = _compiler.WhyNot(s_headers);
        Assert.SkipWhen(why is not null, $"Not proved, because {why}.");
    }
}
