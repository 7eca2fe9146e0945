using Conntracker.Core.Addresses;
using Conntracker.Core.Flows;
using Xunit;

namespace Conntracker.Tests.Unit;

/// <summary>What finds flows by NAT's tuples and the kernel's ids: bounded, and never a flow that is not the one meant.</summary>
public sealed class TupleIndexTests : IDisposable
{
    private const int GenerationSize = 1 << 18;

    private readonly FlowTable _flows = new(100_000);
    private readonly TupleIndex _index;

    public TupleIndexTests() => _index = new TupleIndex(_flows);

    public void Dispose() => _flows.Dispose();

    [Fact]
    public void A_flow_that_is_in_use_is_found_however_many_others_come()
    {
        int slot = Add(1, time: 10);
        _flows[slot].Id = 1;
        FlowKey tuple = Key(1);
        _index.AddTuple(in tuple, slot, isReply: true);
        _index.AddId(1, slot);
        int other = Add(2, time: 11);
        for (uint round = 0; round < 4; round++)
        {
            for (uint i = 0; i < GenerationSize; i++)
            {
                FlowKey filler = Key(1000 + i + (round * GenerationSize));
                _index.AddTuple(in filler, other, isReply: false);
                _index.AddId(1000 + i + (round * GenerationSize), other);
            }

            Assert.Equal(slot, _index.FindTuple(in tuple, out bool isReply));
            Assert.True(isReply);
            Assert.Equal(slot, _index.FindId(1));
        }

        FlowKey old = Key(1000);
        Assert.Equal(-1, _index.FindTuple(in old, out _));
    }

    [Fact]
    public void A_place_that_was_given_back_or_taken_by_another_flow_is_not_found()
    {
        int kept = Add(1, time: 10);
        int gone = Add(2, time: 11);
        FlowKey tuple = Key(2);
        _index.AddTuple(in tuple, gone, isReply: false);
        _flows[gone].Id = 7;
        _index.AddId(7, gone);
        _flows.Absorb(kept, gone);
        Assert.Equal((-1, -1), (_index.FindTuple(in tuple, out _), _index.FindId(7)));
        Assert.Equal(gone, Add(3, time: 12));
        _flows[gone].Id = 7;
        Assert.Equal((-1, -1), (_index.FindTuple(in tuple, out _), _index.FindId(7)));
    }

    [Fact]
    public void Tuples_that_are_dropped_are_counted_and_those_that_were_used_since_are_not()
    {
        int slot = Add(1, time: 10);
        for (uint i = 0; i < GenerationSize * 2; i++)
        {
            FlowKey tuple = Key(i);
            _index.AddTuple(in tuple, slot, isReply: false);
        }

        Assert.Equal(0, _index.Dropped);
        FlowKey used = Key(5);
        Assert.Equal(slot, _index.FindTuple(in used, out _));
        Assert.Equal(GenerationSize, _index.Dropped + 1);
    }

    [Fact]
    public void An_id_that_the_flow_no_longer_has_is_not_found()
    {
        int slot = Add(1, time: 10);
        _flows[slot].Id = 7;
        _index.AddId(7, slot);
        _flows[slot].Id = 8;
        Assert.Equal(-1, _index.FindId(7));
    }

    private int Add(uint number, long time)
    {
        FlowKey key = Key(number);
        return _flows.AddUnconfirmed(in key, time);
    }

    private static FlowKey Key(uint number) => new()
    {
        Family = FlowFamily.IPv4,
        Protocol = FlowProtocol.Tcp,
        Original = new FlowEndpoints { Src = new AddressBits { Low = number }, SrcPort = 1, DstPort = 2 },
    };
}
