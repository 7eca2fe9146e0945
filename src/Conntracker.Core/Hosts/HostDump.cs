using System.Globalization;
using Conntracker.Core.Native;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Hosts;

/// <summary>Decodes one message of a dump.</summary>
internal delegate DecodeResult MessageDecoder<T>(in NetlinkMessage message, out T? found);

/// <summary>Reads lists of rtnetlink for the description of a host, in the calling thread's network namespace. Needs no privileges.</summary>
internal sealed class HostDump : IDisposable
{
    // A dump that a change interrupted may lack something or have it twice. A router's routes may change all the time.
    private const int MaximumDumps = 3;

    private readonly NetlinkDump _dump = NetlinkDump.OpenRoute("the description of a host");
    private readonly DatagramBatch _batch = NetlinkDump.NewBatch();
    private readonly HostOmissions _omissions;
    private readonly CancellationToken _cancellation;

    /// <summary>Opens a socket.</summary>
    /// <param name="omissions">Counts what is left out.</param>
    /// <param name="cancellation">Ends the reading.</param>
    public HostDump(HostOmissions omissions, CancellationToken cancellation)
    {
        _omissions = omissions;
        _cancellation = cancellation;
    }

    /// <summary>Reads a list.</summary>
    /// <param name="what">What it holds, in the plural and with a capital letter.</param>
    /// <param name="maximum">How many are kept; the others are counted.</param>
    /// <param name="request">Requests the dump.</param>
    /// <param name="decoder">Creates a decoder of its messages, which may count what it leaves out.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public List<T> Read<T>(string what, int maximum, Action<NetlinkDump> request, Func<HostOmissions, MessageDecoder<T>> decoder)
    {
        List<T> found = [];
        for (int dumps = 1; ; dumps++)
        {
            found.Clear();
            HostOmissions omissions = new();
            MessageDecoder<T> decode = decoder(omissions);
            long beyond = 0;
            long malformed = 0;
            request(_dump);
            NetlinkDumpEnd end = _dump.ReadToEnd(
                _batch,
                (in NetlinkMessage message) =>
                {
                    switch (decode(in message, out T? one))
                    {
                        case DecodeResult.Decoded when found.Count < maximum:
                            found.Add(one!);
                            break;
                        case DecodeResult.Decoded:
                            beyond++;
                            break;
                        case DecodeResult.Malformed:
                            malformed++;
                            break;
                    }
                },
                _cancellation);
            if (end is { Error: 0, IsWhole: false } && dumps < MaximumDumps)
            {
                continue;
            }

            _omissions.Add(omissions);
            Report(what, maximum, end, beyond, malformed);
            return found;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _dump.Dispose();
        _batch.Dispose();
    }

    private void Report(string what, int maximum, NetlinkDumpEnd end, long beyond, long malformed)
    {
        if (end.Error != 0)
        {
            _omissions.Add($"{what} could not be read completely: {Errno.Describe(end.Error)}.");
        }
        else if (!end.IsWhole)
        {
            _omissions.Add($"{what} changed during each of {MaximumDumps} readings: some may be missing, or be described twice.");
        }

        if (beyond > 0)
        {
            _omissions.AddBeyond(what, maximum, beyond);
        }

        if (malformed > 0)
        {
            _omissions.Add(string.Create(
                CultureInfo.InvariantCulture, $"{what} left out because the kernel's messages about them could not be read: {malformed}."));
        }
    }
}
