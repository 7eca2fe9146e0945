using System.Text;
using Conntracker.Core.Processes;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>The unit and the container of a process, by the names of its cgroups, and whose names are believed.</summary>
public sealed class CgroupTextTests : IDisposable
{
    private const string Id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    private const string OtherId = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210";
    private const string Mount = "/cgroup";
    private const string Legacy = "/legacy";
    private const string UserManager = "/user.slice/user-1000.slice/user@1000.service";

    private static readonly CgroupMounts s_mounts = new((
        $"31 24 0:27 / {Mount} rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
        + $"32 24 0:28 / {Legacy}/systemd rw shared:9 - cgroup cgroup rw,xattr,name=systemd\n"
        + $"33 24 0:29 / {Legacy}/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
        + $"34 24 0:30 /docker/{Id} {Legacy}/memory rw - cgroup cgroup rw,memory\n",
        ""));

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("conntracker-test-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData($"/system.slice/docker-{Id}.scope", Id)]
    [InlineData($"/docker/{Id}", Id)]
    [InlineData($"/docker/{OtherId}/docker/{Id}", Id)]
    [InlineData($"/machine.slice/libpod-{Id}.scope/container", Id)]
    [InlineData($"/kubepods.slice/kubepods-burstable.slice/cri-containerd-{Id}.scope", Id)]
    [InlineData($"/kubepods/besteffort/pod1/{Id}", Id)]
    [InlineData($"/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:{Id}", Id)]
    [InlineData("/lxc.payload.web1/system.slice/nginx.service", "web1")]
    [InlineData("/lxc.payload/web3/init.scope", "web3")]
    [InlineData("/lxc/web2", "web2")]
    [InlineData("/lxc/100/ns/system.slice/nginx.service", "100")]
    [InlineData($"/lxc.payload.web1/docker/{Id}", Id)]
    [InlineData($"/machine.slice/libpod-conmon-{Id}.scope", null)]
    [InlineData("/lxc.monitor.web1", null)]
    [InlineData("/user.slice/user-1000.slice/session-3.scope", null)]
    [InlineData("/", null)]
    public void A_container_is_known_by_its_cgroup(string path, string? container) => Assert.Equal(container, Of(path).Container);

    [Theory]
    [InlineData("/system.slice/sshd.service", "sshd.service")]
    [InlineData("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service")]
    [InlineData("/system.slice/cups.socket", "cups.socket")]
    [InlineData("/init.scope", "init.scope")]
    [InlineData($"{UserManager}/app.slice/firefox.service", "user@1000.service")]
    [InlineData("/user.slice/user-1000.slice/session-3.scope", "session-3.scope")]
    [InlineData($"/system.slice/docker-{Id}.scope/system.slice/sshd.service", $"docker-{Id}.scope")]
    [InlineData("/lxc.payload.web1/system.slice/nginx.service", null)]
    [InlineData("/lxc.payload/web3/init.scope", null)]
    [InlineData("/lxc/100/ns/system.slice/nginx.service", null)]
    [InlineData("/lxc.monitor.web1", null)]
    [InlineData("/system.slice/lxc@web1.service/lxc.payload.web1/system.slice/nginx.service", "lxc@web1.service")]
    [InlineData("/system.slice", null)]
    public void The_unit_is_the_outermost_one_behind_the_slices(string path, string? unit) => Assert.Equal(unit, Of(path).Unit);

    [Theory]
    [InlineData("/sshd.service", "/", null, null)]
    [InlineData("/system.slice/sshd.service", "/", null, null)]
    [InlineData("/delegated/sshd.service", "/delegated", null, null)]
    [InlineData("/delegated.slice/sshd.service", "/delegated.slice", null, null)]
    [InlineData("/delegated.slice/other.slice/sshd.service", "/delegated.slice", null, null)]
    [InlineData($"{UserManager}/sshd.service", UserManager, "user@1000.service", null)]
    [InlineData($"{UserManager}/user.slice/libpod-{OtherId}.scope", UserManager, "user@1000.service", null)]
    [InlineData($"/system.slice/docker-{Id}.scope/docker/{OtherId}", $"/system.slice/docker-{Id}.scope", $"docker-{Id}.scope", Id)]
    [InlineData($"/lxc/web2/lxc/{OtherId}", "/lxc/web2", null, "web2")]
    [InlineData("/lxc.payload.web1/system.slice/nginx.service", "/lxc.payload.web1", null, "web1")]
    [InlineData("/lxc.payload.web1/lxc.payload.sshd", "/lxc.payload.web1", null, "web1")]
    [InlineData("/delegated/lxc.payload.web1", "/delegated", null, null)]
    public void Names_in_a_directory_that_is_not_roots_are_not_believed(string path, string delegated, string? unit, string? container) =>
        Assert.Equal(new CgroupText(path, unit, container), Of(path, delegated));

    [Fact]
    public void What_a_user_gave_back_to_root_stays_unbelieved()
    {
        // Below the user's directory no owner is asked for: a name there is the user's, whoever the directory that has the name belongs to.
        CgroupText text = CgroupText.Of("/delegated/root.slice/sshd.service", Mount, directory => directory != $"{Mount}/delegated");

        Assert.Null(text.Unit);
    }

    [Theory]
    [InlineData("/../system.slice/sshd.service")]
    [InlineData("/system.slice/../delegated/sshd.service")]
    [InlineData("/../..")]
    public void A_path_that_leads_out_of_the_hierarchy_tells_nothing(string path) => Assert.Equal(new CgroupText(path, null, null), Of(path));

    [Fact]
    public void A_hierarchy_that_is_not_mounted_tells_nothing() =>
        Assert.Equal(new CgroupText("/system.slice/sshd.service", null, null), CgroupText.Of("/system.slice/sshd.service", mount: null, _ => true));

    [Fact]
    public void Hosts_with_cgroups_of_version_1_hold_unit_and_container_there() =>
        Assert.Equal(new CgroupText("/", "docker.service", Id), Parse($"9:name=systemd:/system.slice/docker.service\n4:cpu,cpuacct:/docker/{Id}\n0::/\n"));

    [Fact]
    public void Each_hierarchy_is_asked_for_its_own_owners()
    {
        string file = $"9:name=systemd:/delegated/sshd.service\n4:cpu,cpuacct:/delegated/docker-{Id}.scope\n0::/delegated/crond.service\n";

        Assert.Equal(
            new CgroupText("/delegated/crond.service", null, null),
            Parse(file, $"{Legacy}/systemd/delegated", $"{Legacy}/cpu/delegated", $"{Mount}/delegated"));
        Assert.Equal(
            new CgroupText("/delegated/crond.service", null, Id),
            Parse(file, $"{Legacy}/systemd/delegated", $"{Mount}/delegated"));
    }

    [Fact]
    public void A_mount_of_a_part_of_a_hierarchy_is_not_taken_for_its_root()
    {
        Assert.Null(s_mounts.Find("memory"));
        Assert.Null(Parse($"4:memory:/docker/{Id}\n0::/\n").Container);
    }

    [Fact]
    public void The_mounts_of_the_first_process_serve_where_the_own_ones_are_hidden()
    {
        CgroupMounts mounts = new(
            ("30 24 0:26 / /sys rw - sysfs sysfs rw\n40 24 0:28 / /own rw - cgroup cgroup rw,name=systemd\n", ""),
            ($"31 24 0:27 / {Mount} rw - cgroup2 cgroup2 rw\n32 24 0:28 / {Legacy} rw - cgroup cgroup rw,name=systemd\n", "/proc/1/root"));

        Assert.Equal($"/proc/1/root{Mount}", mounts.Find(CgroupMounts.Version2));
        Assert.Equal("/own", mounts.Find("name=systemd"));
    }

    [Fact]
    public void A_directory_is_roots_when_root_owns_it_and_nobody_else_may_write_to_it()
    {
        string path = Path.Join(_folder.FullName, "system.slice");
        Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Assert.Equal(Environment.IsPrivilegedProcess, CgroupOwner.IsRoot(path));

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupWrite);
        Assert.False(CgroupOwner.IsRoot(path));

        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.OtherWrite);
        Assert.False(CgroupOwner.IsRoot(path));
        Assert.False(CgroupOwner.IsRoot(Path.Join(path, "gone")));
    }

    [Fact]
    public void A_tree_of_directories_tells_whose_names_they_are()
    {
        Directory.CreateDirectory($"{_folder.FullName}{UserManager}/sshd.service");
        string users = _folder.FullName + UserManager;

        CgroupText text = CgroupText.Of($"{UserManager}/sshd.service", _folder.FullName, directory => Directory.Exists(directory) && directory != users);

        Assert.Equal("user@1000.service", text.Unit);
        Directory.Delete(_folder.FullName + "/user.slice", recursive: true);
        Assert.Null(CgroupText.Of($"{UserManager}/sshd.service", _folder.FullName, Directory.Exists).Unit);
    }

    private static CgroupText Of(string path, string? delegated = null) =>
        CgroupText.Of(path, Mount, directory => directory != (delegated == "/" ? Mount : Mount + delegated) || delegated is null);

    private static CgroupText Parse(string file, params string[] delegated) =>
        CgroupText.Parse(Encoding.UTF8.GetBytes(file), s_mounts, directory => !delegated.Contains(directory));
}
