using System.Net.Sockets;
using Conntracker.Core.Conntrack;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>A kernel that answers dumps as the test asks: each request takes the next answer. Its datagrams go through a real socket.</summary>
internal sealed class FakeDumps : IDumpSource
{
    private readonly TempDirectory _folder = new();
    private readonly Socket _kernel = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Socket _reader = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Queue<(byte[][] Datagrams, int Errno, bool IsRefused)> _answers = new();
    private readonly Queue<byte[]> _queued = new();
    private readonly DatagramBatch _batch = NetlinkDump.NewBatch();
    private int _error;

    public FakeDumps()
    {
        _reader.Bind(new UnixDomainSocketEndPoint(_folder.File("s")));
        _kernel.Connect(new UnixDomainSocketEndPoint(_folder.File("s")));
    }

    /// <summary>How often the table was asked for.</summary>
    public int Begun { get; private set; }

    /// <summary>How many answers nobody has asked for.</summary>
    public int Waiting => _answers.Count;

    /// <summary>Answers a request with datagrams.</summary>
    public void Answer(params byte[][] datagrams) => _answers.Enqueue((datagrams, 0, false));

    /// <summary>Lets the reading of an answer fail.</summary>
    public void Fail(int errno) => _answers.Enqueue(([], errno, false));

    /// <summary>Refuses a request.</summary>
    public void Refuse() => _answers.Enqueue(([], 0, true));

    public void Begin()
    {
        Begun++;
        (byte[][] datagrams, _error, bool isRefused) = _answers.Dequeue();
        if (isRefused)
        {
            throw new ConntrackException(ConntrackErrorReason.KernelRefused, "No buffer space available.");
        }

        Array.ForEach(datagrams, _queued.Enqueue);
    }

    public bool TryTake(out DumpPart part)
    {
        part = DumpPart.Failed(_error);
        if (_error != 0)
        {
            _error = 0;
            return true;
        }

        if (!_queued.TryDequeue(out byte[]? datagram))
        {
            return false;
        }

        _kernel.Send(datagram);
        SafeFileDescriptor descriptor = new((int)_reader.Handle);
        int count = _batch.Receive(descriptor);
        descriptor.SetHandleAsInvalid();
        Assert.Equal(1, count);
        part = DumpPart.Of(_batch, count);
        return true;
    }

    public void Return(DatagramBatch batch)
    {
    }

    public void Dispose()
    {
        _batch.Dispose();
        _kernel.Dispose();
        _reader.Dispose();
        _folder.Dispose();
    }
}
