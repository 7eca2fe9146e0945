using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>
/// libbpf (bpf/libbpf.h, bpf/bpf.h): loads eBPF programs, attaches them, reads their ring. Since version 1 functions that return a pointer
/// return NULL and set errno on failure; those that return a number return the negative error number.
/// </summary>
internal static unsafe partial class Libbpf
{
    /// <summary>The shared object's name; Debian's package is libbpf1.</summary>
    public const string Library = "libbpf.so.1";

    /// <summary>The Debian package that contains it.</summary>
    public const string Package = "libbpf1";

    // NULL disables its messages, which would appear on the user's terminal.
    [LibraryImport(Library)]
    public static partial nint libbpf_set_print(nint fn);

    [LibraryImport(Library)]
    public static partial int libbpf_num_possible_cpus();

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint bpf_object__open_mem(void* obj_buf, nuint obj_buf_sz, void* opts);

    [LibraryImport(Library)]
    public static partial int bpf_object__load(SafeBpfObject obj);

    [LibraryImport(Library)]
    public static partial void bpf_object__close(nint obj);

    [LibraryImport(Library)]
    public static partial nint bpf_object__next_program(SafeBpfObject obj, nint prog);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int bpf_object__find_map_fd_by_name(SafeBpfObject obj, string name);

    [LibraryImport(Library)]
    public static partial nint bpf_program__name(nint prog);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint bpf_program__attach_cgroup(nint prog, int cgroup_fd);

    [LibraryImport(Library)]
    public static partial int bpf_link__destroy(nint link);

    [LibraryImport(Library)]
    public static partial int bpf_map_lookup_elem(int fd, void* key, void* value);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint ring_buffer__new(int map_fd, delegate* unmanaged<void*, void*, nuint, int> sample_cb, void* ctx, void* opts);

    [LibraryImport(Library)]
    public static partial int ring_buffer__epoll_fd(nint rb);

    [LibraryImport(Library)]
    public static partial int ring_buffer__consume(nint rb);

    [LibraryImport(Library)]
    public static partial void ring_buffer__free(nint rb);
}
