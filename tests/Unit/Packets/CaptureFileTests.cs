using System.Buffers.Binary;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A file of the pipeline is told by its first bytes: capture files from everything else.</summary>
public sealed class CaptureFileTests : IDisposable
{
    private const int HeaderLength = 24;

    private readonly string _path = Path.GetTempFileName();

    /// <inheritdoc/>
    public void Dispose() => File.Delete(_path);

    [Theory]
    [InlineData(0xA1B2C3D4, true)]
    [InlineData(0xA1B23C4D, true)]
    [InlineData(0xA1B2CD34, true)]
    [InlineData(0x0A0D0D0A, false)]
    [InlineData(0x00000000, false)]
    [InlineData(0xFFFFFFFF, false)]
    public void Pcap_is_told_in_the_byte_order_of_either_machine(uint magic, bool isPcap)
    {
        byte[] header = new byte[HeaderLength];
        BinaryPrimitives.WriteUInt32LittleEndian(header, magic);
        Assert.Equal(isPcap, IsPcap(header));
        BinaryPrimitives.WriteUInt32BigEndian(header, magic);
        Assert.Equal(isPcap, IsPcap(header));
    }

    [Fact]
    public void Pcapng_is_told_in_the_byte_order_of_either_machine_by_both_of_its_marks()
    {
        byte[] header = new byte[HeaderLength];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0x0A0D0D0A);
        Assert.False(IsPcap(header));
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), 0x1A2B3C4D);
        Assert.True(IsPcap(header));
        BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(8), 0x1A2B3C4D);
        Assert.True(IsPcap(header));
    }

    [Fact]
    public void What_is_cut_off_before_the_heads_end_is_none()
    {
        byte[] header = new byte[HeaderLength];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xA1B2C3D4);
        for (int length = 0; length < HeaderLength; length++)
        {
            Assert.False(IsPcap(header[..length]));
        }
    }

    [Fact]
    public void Recordings_folders_and_files_that_are_not_there_are_none()
    {
        Assert.False(CaptureFile.IsPcap(Fixture.Traffic));
        Assert.False(CaptureFile.IsPcap(Path.GetTempPath()));
        Assert.False(CaptureFile.IsPcap("/nowhere/monday.pcap"));
        Assert.False(CaptureFile.IsPcap("/dev/zero"));
    }

    private bool IsPcap(byte[] bytes)
    {
        File.WriteAllBytes(_path, bytes);
        return CaptureFile.IsPcap(_path);
    }
}
