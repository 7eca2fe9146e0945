using System.Buffers.Binary;
using Conntracker.Core.Netlink;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>Between the thread that reads NFLOG and the one that joins, nothing is lost, changed or put out of order without a word.</summary>
public class DatagramRingTests
{
    [Fact]
    public void What_goes_in_comes_out_in_order_also_across_the_end_of_the_memory()
    {
        using DatagramRing ring = new(256);
        for (int i = 0; i < 1000; i++)
        {
            Assert.True(ring.TryWrite(Datagram(i, i % 90)));
            Assert.True(ring.TryRead(out ReadOnlySpan<byte> read));
            Assert.Equal(Datagram(i, i % 90), read.ToArray());
            ring.Release();
            Assert.False(ring.TryRead(out _));
        }
    }

    [Fact]
    public void A_full_ring_takes_nothing_and_loses_nothing_that_it_has()
    {
        using DatagramRing ring = new(1024);
        int written = 0;
        while (ring.TryWrite(Datagram(written, 20)))
        {
            written++;
        }

        Assert.Equal(1024 / 24, written);
        Assert.False(ring.TryWrite(Datagram(0, 20)));
        Assert.True(ring.TryRead(out _));
        ring.Release();
        Assert.True(ring.TryWrite(Datagram(written, 20)));
        for (int i = 1; i <= written; i++)
        {
            Assert.True(ring.TryRead(out ReadOnlySpan<byte> read));
            Assert.Equal(Datagram(i, 20), read.ToArray());
            ring.Release();
        }
    }

    [Fact]
    public void A_datagram_stays_until_it_is_released()
    {
        using DatagramRing ring = new(64);
        Assert.True(ring.TryWrite([1, 2, 3]));
        Assert.True(ring.TryRead(out ReadOnlySpan<byte> first));
        Assert.True(ring.TryRead(out ReadOnlySpan<byte> again));
        Assert.True(first == again);
        ring.Release();
        ring.Release();
        Assert.False(ring.TryRead(out _));
        Assert.True(ring.TryWrite([4]));
        Assert.True(ring.TryRead(out ReadOnlySpan<byte> second));
        Assert.Equal(4, second[0]);
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(60, true)]
    [InlineData(61, false)]
    [InlineData(100_000, false)]
    public void A_datagram_that_could_never_fit_is_refused(int length, bool fits)
    {
        using DatagramRing ring = new(64);
        Assert.Equal(fits, ring.TryWrite(new byte[length]));
        Assert.Equal(fits, ring.TryRead(out ReadOnlySpan<byte> read));
        Assert.Equal(fits ? length : 0, read.Length);
    }

    [Fact]
    public void A_ring_that_is_gone_is_empty()
    {
        DatagramRing ring = new(64);
        Assert.True(ring.TryWrite([1]));
        ring.Dispose();
        Assert.False(ring.TryRead(out _));
        ring.Dispose();
    }

    [Fact]
    public void Two_threads_at_full_speed_agree_on_every_byte()
    {
        const int Datagrams = 300_000;
        using DatagramRing ring = new(4096);
        Thread writer = new(() =>
        {
            for (int i = 0; i < Datagrams; i++)
            {
                SpinWait wait = default;
                while (!ring.TryWrite(Datagram(i, 4 + (i % 500))))
                {
                    wait.SpinOnce();
                }
            }
        });
        writer.Start();
        for (int i = 0; i < Datagrams; i++)
        {
            SpinWait wait = default;
            ReadOnlySpan<byte> read;
            while (!ring.TryRead(out read))
            {
                wait.SpinOnce();
            }

            Assert.True(read.SequenceEqual(Datagram(i, 4 + (i % 500))));
            ring.Release();
        }

        writer.Join();
        Assert.False(ring.TryRead(out _));
    }

    private static byte[] Datagram(int number, int length)
    {
        byte[] data = new byte[length];
        data.AsSpan().Fill((byte)number);
        if (length >= sizeof(int))
        {
            BinaryPrimitives.WriteInt32LittleEndian(data, number);
        }

        return data;
    }
}
