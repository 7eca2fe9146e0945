namespace Conntracker.Core.Tracing;

/// <summary>Numbers for base chains, from 1; 0 is the base chain that is not known. A number stays for as long as the capture runs.</summary>
internal sealed class BaseChainIds
{
    /// <summary>The maximum number of base chains.</summary>
    public const int Maximum = 1 << 12;

    /// <summary>The number of a base chain without room.</summary>
    public const int NoId = -1;

    private readonly Dictionary<BaseKey, int> _ids = [];
    private readonly List<BaseKey> _keys = [default];

    /// <summary>The base chain with a number; the default for 0.</summary>
    public BaseKey this[int id] => _keys[id];

    /// <summary>The number of a base chain; <see cref="NoId"/> for a new one when there are too many, or too many names.</summary>
    public int Of(in BaseKey key)
    {
        if (_ids.TryGetValue(key, out int id))
        {
            return id;
        }

        if (_keys.Count > Maximum || key.Table < 0 || key.Chain < 0)
        {
            return NoId;
        }

        id = _keys.Count;
        _keys.Add(key);
        _ids.Add(key, id);
        return id;
    }
}
