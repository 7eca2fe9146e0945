using System.Reflection;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Processes;

/// <summary>
/// The eBPF programs of src/Conntracker.Bpf, loaded and attached to the root of the cgroup hierarchy. Only descriptors of this process hold the
/// links: the kernel removes everything when the process ends, however it ends.
/// </summary>
internal sealed unsafe class AttributionPrograms : IDisposable
{
    private const string ObjectResource = "attribution.bpf.o";
    private const string MissingResource = "attribution.missing";

    // struct socket_state (maps.bpf.h): a 32-bit lock and two 16-bit numbers precede the owner.
    private const int OwnerOffset = 8;

    private readonly SafeBpfObject _object;
    private readonly List<nint> _links = [];

    private AttributionPrograms(SafeBpfObject programs) => _object = programs;

    /// <summary>The ring buffer of the records: a map's descriptor.</summary>
    public int RecordsMap => Libbpf.bpf_object__find_map_fd_by_name(_object, "records");

    /// <summary>Why this build has no programs: the packages that were missing at build time. Null when it has them.</summary>
    public static string? MissingAtBuild =>
        Image is not null ? null
        : ReadResource(MissingResource) is byte[] packages ? System.Text.Encoding.UTF8.GetString(packages)
        : "built without ./build.sh";

    /// <summary>The compiled programs, an ELF file; null when this build has none.</summary>
    public static byte[]? Image => ReadResource(ObjectResource);

    /// <summary>Loads and attaches the programs; from here on they record the owner of every new socket of the host.</summary>
    /// <exception cref="ConntrackException">A library, a privilege or a feature of the kernel is missing.</exception>
    public static AttributionPrograms Attach()
    {
        byte[] image = Image ?? throw new ConntrackException(
            ConntrackErrorReason.BpfProgramsMissing,
            $"This build of Conntracker contains no eBPF programs: {Explain(MissingAtBuild!)}");
        string root = CgroupHierarchy.FindRoot() ?? throw new ConntrackException(
            ConntrackErrorReason.KernelFeatureMissing,
            "The cgroup2 hierarchy is not mounted (see /proc/mounts), and the eBPF programs need its root. " +
                "'mkdir -p /run/cgroup2 && mount -t cgroup2 none /run/cgroup2' mounts it.");
        try
        {
            AttributionPrograms programs = new(Load(image));
            try
            {
                programs.AttachAll(root);
                return programs;
            }
            catch
            {
                programs.Dispose();
                throw;
            }
        }
        catch (DllNotFoundException error)
        {
            throw new ConntrackException(
                ConntrackErrorReason.LibbpfMissing,
                $"{Libbpf.Library} is missing: install the package {Libbpf.Package} (sudo apt-get install {Libbpf.Package}).",
                error);
        }
    }

    /// <summary>How many records were dropped because the ring buffer was full, since the start.</summary>
    public long ReadDrops()
    {
        const int MaximumProcessors = 8192;
        int processors = Libbpf.libbpf_num_possible_cpus();
        int map = Libbpf.bpf_object__find_map_fd_by_name(_object, "drops");
        if (processors is <= 0 or > MaximumProcessors || map < 0)
        {
            return 0;
        }

        uint first = 0;
        Span<ulong> counts = processors <= 64 ? stackalloc ulong[processors] : new ulong[processors];
        fixed (ulong* values = counts)
        {
            if (Libbpf.bpf_map_lookup_elem(map, &first, values) < 0)
            {
                return 0;
            }
        }

        long sum = 0;
        foreach (ulong count in counts)
        {
            sum += (long)count;
        }

        return sum;
    }

    /// <summary>
    /// The kernel's cookie of the calling thread's network namespace. It also works before Linux 5.14, which has no socket option for it: the record
    /// of a new socket contains it. 0 when it cannot be read.
    /// </summary>
    public ulong ReadNamespaceCookie()
    {
        int map = Libbpf.bpf_object__find_map_fd_by_name(_object, "sockets");
        using SafeFileDescriptor socket = new(LibC.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        int number = socket.Number;
        byte* state = stackalloc byte[OwnerOffset + sizeof(socket_owner)];
        return map < 0 || socket.IsInvalid || Libbpf.bpf_map_lookup_elem(map, &number, state) < 0 ? 0 : ((socket_owner*)(state + OwnerOffset))->netns;
    }

    /// <summary>Detaches the programs and unloads them.</summary>
    public void Dispose()
    {
        foreach (nint link in _links)
        {
            _ = Libbpf.bpf_link__destroy(link);
        }

        _links.Clear();
        _object.Dispose();
    }

    private static SafeBpfObject Load(byte[] image)
    {
        _ = Libbpf.libbpf_set_print(0);
        SafeBpfObject programs;
        fixed (byte* bytes = image)
        {
            programs = new SafeBpfObject(Libbpf.bpf_object__open_mem(bytes, (nuint)image.Length, null));
        }

        int error = programs.IsInvalid ? Errno.Last : -Libbpf.bpf_object__load(programs);
        if (error != 0)
        {
            programs.Dispose();
            throw Refused("loaded", error);
        }

        return programs;
    }

    private void AttachAll(string root)
    {
        using SafeFileDescriptor cgroup = new(SafeLibC.open(root, O_RDONLY | O_CLOEXEC | O_DIRECTORY));
        if (cgroup.IsInvalid)
        {
            throw Refused($"attached to {root}", Errno.Last);
        }

        for (nint program = Libbpf.bpf_object__next_program(_object, 0); program != 0; program = Libbpf.bpf_object__next_program(_object, program))
        {
            nint link = Libbpf.bpf_program__attach_cgroup(program, cgroup.Number);
            if (link == 0)
            {
                int error = Errno.Last;
                throw Refused($"attached to {root} ({Marshal.PtrToStringUTF8(Libbpf.bpf_program__name(program))})", error);
            }

            _links.Add(link);
        }
    }

    private static ConntrackException Refused(string done, int error) => error == EPERM || error == EACCES
        ? new ConntrackException(
            ConntrackErrorReason.PermissionDenied,
            $"The eBPF programs could not be {done}: {Errno.Describe(error)}. The capabilities CAP_BPF and CAP_NET_ADMIN are required (CAP_SYS_ADMIN " +
                "before Linux 5.8): run as root, or with sudo.")
        : new ConntrackException(
            ConntrackErrorReason.KernelFeatureMissing,
            $"The eBPF programs could not be {done}: {Errno.Describe(error)}. They require Linux 5.10 or later with CONFIG_BPF_SYSCALL and CONFIG_CGROUP_BPF.");

    private static string Explain(string missing) => missing.Contains("build.sh", StringComparison.Ordinal)
        ? "it was not built with './build.sh build', which compiles them."
        : $"the package(s) {missing} were missing at build time. Install them and run './build.sh build' again.";

    private static byte[]? ReadResource(string name)
    {
        using Stream? resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(name);
        if (resource is null)
        {
            return null;
        }

        byte[] bytes = new byte[resource.Length];
        resource.ReadExactly(bytes);
        return bytes;
    }
}
