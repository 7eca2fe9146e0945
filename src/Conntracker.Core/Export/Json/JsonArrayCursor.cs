using System.Text.Json;
using Conntracker.Core.Export.Common;

namespace Conntracker.Core.Export.Json;

/// <summary>Finds the elements of a JSON array one after the other, reading only as far as it must.</summary>
internal sealed class JsonArrayCursor(InputBuffer input, int limit)
{
    private JsonReaderState _state;
    private bool _isOpen;
    private int _start;
    private int _taken;

    /// <summary>The current element, as JSON. Valid until the next call of <see cref="Read"/>.</summary>
    public ReadOnlySpan<byte> Element => input.Unread[_start.._taken];

    /// <summary>The element's number, counted from 1.</summary>
    public long Number { get; private set; }

    /// <summary>Moves to the next element; false at the end of the array, and after an error.</summary>
    public bool Read(Action<LogFormatException> onError)
    {
        input.Advance(_taken);
        _start = _taken = 0;
        Number++;
        try
        {
            while (true)
            {
                Step step = TryRead();
                if (step != Step.NeedsMore)
                {
                    return step == Step.Element;
                }

                if (input.Unread.Length > limit)
                {
                    onError(Error($"It is longer than {limit} bytes. The rest of the file is not read."));
                    return false;
                }

                if (input.IsComplete)
                {
                    throw new JsonException("It ends early.");
                }

                input.Fill();
            }
        }
        catch (JsonException e)
        {
            onError(Error($"The JSON array is not valid. The rest of the file is not read. {e.Message}"));
            return false;
        }
    }

    private LogFormatException Error(string reason) => new(LogFormat.Json, Number, input.Unread, reason);

    // Reads from the end of the last element. Until a whole element is there nothing is consumed: it is read again with more bytes.
    private Step TryRead()
    {
        Utf8JsonReader reader = new(input.Unread, input.IsComplete, _state);
        if (!_isOpen)
        {
            if (!reader.Read())
            {
                return Step.NeedsMore;
            }

            if (reader.TokenType != JsonTokenType.StartArray)
            {
                throw new JsonException("It does not begin with '['.");
            }

            _isOpen = true;
            _state = reader.CurrentState;
            input.Advance((int)reader.BytesConsumed);
            return TryRead();
        }

        if (!reader.Read())
        {
            return Step.NeedsMore;
        }

        if (reader.TokenType == JsonTokenType.EndArray)
        {
            // Throws when anything but white space follows.
            return input.IsComplete ? AtEnd(ref reader) : Step.NeedsMore;
        }

        int start = (int)reader.TokenStartIndex;
        if (!reader.TrySkip())
        {
            return Step.NeedsMore;
        }

        _start = start;
        _taken = (int)reader.BytesConsumed;
        _state = reader.CurrentState;
        return Step.Element;
    }

    private static Step AtEnd(ref Utf8JsonReader reader)
    {
        reader.Read();
        return Step.End;
    }

    private enum Step
    {
        NeedsMore,
        Element,
        End,
    }
}
