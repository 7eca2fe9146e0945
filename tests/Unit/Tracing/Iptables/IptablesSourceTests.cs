using Conntracker.Core.Tracing.Iptables;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Where NFLOG cannot be had, the kernel's log is read instead; whoever captures learns of it.</summary>
public sealed class IptablesSourceTests
{
    private const string Cost = "The program that uses the group gets no TRACE lines while the capture runs.";

    private readonly CaptureNotices _notices = new();

    [Theory]
    [InlineData(ConntrackErrorReason.NflogBusy, true)]
    [InlineData(ConntrackErrorReason.KernelFeatureMissing, false)]
    [InlineData(ConntrackErrorReason.SettingFailed, false)]
    [InlineData(ConntrackErrorReason.KernelRefused, false)]
    public void The_kernels_log_stands_in_for_nflog_whatever_it_lacks(ConntrackErrorReason reason, bool isHeld)
    {
        using IptablesSource log = new(new FakeLines(), lease: null);

        Assert.Same(log, IptablesSource.Open(() => throw new ConntrackException(reason, "No NFLOG."), () => log, _notices));

        string notice = Assert.Single(_notices.All());
        Assert.StartsWith("No NFLOG. The kernel log is read instead (/dev/kmsg)", notice, StringComparison.Ordinal);
        Assert.Equal(isHeld, notice.EndsWith(Cost, StringComparison.Ordinal));
    }

    [Fact]
    public void Where_both_are_missing_a_notice_gives_both_reasons()
    {
        Assert.Null(IptablesSource.Open(
            () => throw new ConntrackException(ConntrackErrorReason.KernelFeatureMissing, "No NFLOG."),
            () => throw new ConntrackException(ConntrackErrorReason.PermissionDenied, "No log."),
            _notices));

        Assert.Equal(["Rules of iptables-legacy are not traced: No NFLOG. The kernel log cannot be read either: No log."], _notices.All());
    }

    [Fact]
    public void Without_the_capability_for_nflog_the_kernels_log_is_not_tried()
    {
        Assert.Null(IptablesSource.Open(
            () => throw new ConntrackException(ConntrackErrorReason.PermissionDenied, "No CAP_NET_ADMIN."),
            () => throw new InvalidOperationException(),
            _notices));

        Assert.Equal(["Rules of iptables-legacy are not traced: No CAP_NET_ADMIN."], _notices.All());
    }

    [Fact]
    public void Nflog_that_can_be_had_needs_no_words()
    {
        using IptablesSource nflog = new(new FakeLines(), lease: null);
        Assert.Same(nflog, IptablesSource.Open(() => nflog, () => throw new InvalidOperationException(), _notices));
        Assert.Empty(_notices.All());
    }
}
