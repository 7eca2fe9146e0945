using System.Buffers;
using System.Globalization;
using System.Text;
using Conntracker.Core.Model;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using static Conntracker.Core.Native.TunConstants;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Policies.Network;

/// <summary>
/// Makes the network devices of a host in the calling thread's network namespace: a bridge where the host has one with ports, else a tap for an Ethernet-like
/// interface and a tun for the others, with the host's names and numbers; veth pairs where /dev/net/tun may not be opened.
/// </summary>
internal sealed unsafe class DeviceMaker
{
    private const ushort Ethernet = 1;
    private const ushort NoLinkType = 65534;
    private const int MaximumName = 15;
    private const int RequestLength = 40;
    private const int FlagsAt = 16;

    private static readonly SearchValues<char> s_refused = SearchValues.Create("/:% \t\n\0");

    private readonly NetlinkRequests _requests;
    private readonly NetworkNotices _notices;
    private readonly HashSet<string> _bridges;
    private readonly string _tunPath;

    /// <summary>Prepares to make the devices of a host.</summary>
    /// <param name="host">The host.</param>
    /// <param name="requests">rtnetlink in the namespace.</param>
    /// <param name="notices">Receives what cannot be made.</param>
    /// <param name="tunPath">The path of /dev/net/tun.</param>
    public DeviceMaker(FirewallHost host, NetlinkRequests requests, NetworkNotices notices, string tunPath)
    {
        _tunPath = tunPath;
        _requests = requests;
        _notices = notices;
        HashSet<string> masters = [.. host.Interfaces.Select(each => each.Master).OfType<string>()];
        _bridges = [.. host.Interfaces.Where(each => each.Kind == "bridge" && masters.Contains(each.Name)).Select(each => each.Name)];
        IsSynchronous = CanOpenTun(out int errno);
        if (!IsSynchronous)
        {
            _notices.Add($"{tunPath} could not be opened, so interfaces are pairs of virtual Ethernet devices: {Errno.Describe(errno)}.");
        }
    }

    /// <summary>Whether the devices are taps, whose packets the kernel has handled when the call that sends them returns.</summary>
    public bool IsSynchronous { get; }

    /// <summary>The far ends of the devices; null while there are none.</summary>
    public PacketOutlet? Outlet { get; private set; }

    /// <summary>Whether an interface is made as a bridge.</summary>
    public bool IsBridge(string? name) => name is not null && _bridges.Contains(name);

    /// <summary>Makes the device of an interface; null, with a notice, when the kernel refused.</summary>
    public ProbeDevice? Make(FirewallInterface source)
    {
        if (Encoding.UTF8.GetByteCount(source.Name) is 0 or > MaximumName || source.Name is "." or ".."
            || source.Name.AsSpan().ContainsAny(s_refused))
        {
            _notices.Add($"'{SafeText.Printable(source.Name)}' cannot be the name of an interface, which was left out.");
            return null;
        }

        if (source.Kind == "vrf")
        {
            _notices.Add($"The interface {source.Name} is a VRF on the host and a plain device here: packets of its members are routed by the other tables.");
        }

        byte[] linkAddress = LinkAddressOf(source);
        return IsBridge(source.Name) ? MakeByRequest(source, linkAddress, "bridge")
            : IsSynchronous ? MakeTap(source, linkAddress)
            : MakeByRequest(source, linkAddress, "veth");
    }

    private bool CanOpenTun(out int errno)
    {
        int number = OpenTun();
        errno = number < 0 ? Errno.Last : 0;
        if (number < 0)
        {
            return false;
        }

        new SafeFileDescriptor(number).Dispose();
        return true;
    }

    private int OpenTun() => SafeLibC.open(_tunPath, O_RDWR | O_CLOEXEC | O_NONBLOCK);

    // The address decides whether the device takes a frame, so every device has one.
    private static byte[] LinkAddressOf(FirewallInterface source)
    {
        const int Length = 6;
        string[] parts = source.LinkAddress?.Split(':') ?? [];
        byte[] address = new byte[Length];
        for (int i = 0; i < Length; i++)
        {
            if (parts.Length != Length || !byte.TryParse(parts[i], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out address[i]))
            {
                return MadeUp(source.Index);
            }
        }

        bool isMulticast = (address[0] & 1) != 0;
        return isMulticast || address.All(each => each == 0) ? MadeUp(source.Index) : address;
    }

    // Locally administered, and not 02:4a, which carries marks.
    private static byte[] MadeUp(int index) => [0x02, 0x4b, (byte)(index >> 24), (byte)(index >> 16), (byte)(index >> 8), (byte)index];

    private ProbeDevice? MakeTap(FirewallInterface source, byte[] linkAddress)
    {
        bool isTap = source.LinkType == Ethernet;
        int errno = TryMakeTap(source, isTap, source.Index, out SafeFileDescriptor? queue);
        if (errno == EBUSY || errno == EEXIST || errno == EINVAL)
        {
            // The number may be taken: a device without it is of more use than none.
            errno = TryMakeTap(source, isTap, 0, out queue);
        }

        if (errno != 0)
        {
            _notices.Add($"The interface {source.Name} could not be made: {Errno.Describe(errno)}.");
            return null;
        }

        int index = IndexOf(source.Name);
        if (index != source.Index)
        {
            _notices.Add(string.Create(CultureInfo.InvariantCulture, $"The interface {source.Name} has the number {index} instead of {source.Index}."));
        }

        return new ProbeDevice(source.Name, index, "tun", queue!, isTap ? linkAddress : null);
    }

    private int TryMakeTap(FirewallInterface source, bool isTap, int index, out SafeFileDescriptor? queue)
    {
        queue = null;
        int number = OpenTun();
        if (number < 0)
        {
            return Errno.Last;
        }

        SafeFileDescriptor opened = new(number);
        byte* request = stackalloc byte[RequestLength];
        Name(request, source.Name);
        *(short*)(request + FlagsAt) = (short)((isTap ? IFF_TAP : IFF_TUN) | IFF_NO_PI);
        if ((index != 0 && SafeLibC.ioctl(opened, TUNSETIFINDEX, &index) < 0)
            || SafeLibC.ioctl(opened, TUNSETIFF, request) < 0
            || (!isTap && source.LinkType != NoLinkType && SafeLibC.ioctl(opened, TUNSETLINK, source.LinkType) < 0))
        {
            int errno = Errno.Last;
            opened.Dispose();
            return errno;
        }

        queue = opened;
        return 0;
    }

    // struct ifreq: the name, then what the request is about.
    private static void Name(byte* request, string name)
    {
        Span<byte> bytes = new(request, RequestLength);
        bytes.Clear();
        Encoding.UTF8.GetBytes(name, bytes[..MaximumName]);
    }

    private static int IndexOf(string name)
    {
        using SafeFileDescriptor any = new(socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        byte* request = stackalloc byte[RequestLength];
        Name(request, name);
        return SafeLibC.ioctl(any, SIOCGIFINDEX, request) < 0 ? 0 : *(int*)(request + FlagsAt);
    }

    private ProbeDevice? MakeByRequest(FirewallInterface source, byte[] linkAddress, string kind)
    {
        NetlinkWriter writer = new(stackalloc byte[NetworkMessages.MaximumLength]);
        List<NetlinkFailure> failures = [];
        if (kind == "bridge")
        {
            NetworkMessages.WriteBridge(ref writer, source.Name, source.Index, linkAddress);
        }
        else
        {
            Outlet ??= PacketOutlet.Open();
            NetworkMessages.WritePair(ref writer, source.Name, source.Index, linkAddress, Outlet.NamespaceNumber);
        }

        _requests.Add(writer.Written, source, failures);
        _requests.Flush(failures);
        if (failures.Count != 0)
        {
            string text = failures[0].Text is string reason ? $" ({reason})" : "";
            _notices.Add($"The interface {source.Name} could not be made as a {kind}: {Errno.Describe(failures[0].Errno)}{text}.");
            return null;
        }

        if (kind == "bridge")
        {
            return new ProbeDevice(source.Name, source.Index, kind, linkAddress);
        }

        if (source.LinkType != Ethernet)
        {
            _notices.Add($"The interface {source.Name} is an Ethernet device here: a rule that asks for its link type (iiftype) sees 1.");
        }

        NetlinkWriter far = new(stackalloc byte[NetworkMessages.MaximumLength]);
        NetworkMessages.WriteFlags(ref far, source.Index, LinkConstants.IFF_UP | LinkConstants.IFF_NOARP, LinkConstants.IFF_UP | LinkConstants.IFF_NOARP);
        Outlet!.Requests.Add(far.Written, source, failures);
        Outlet.Requests.Flush(failures);
        return new ProbeDevice(source.Name, source.Index, kind, Outlet, linkAddress);
    }
}
