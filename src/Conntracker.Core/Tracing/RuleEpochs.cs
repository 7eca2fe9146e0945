using System.Text;
using Conntracker.Core.Rulesets;
using Conntracker.Core.Tracing.Nftables;

namespace Conntracker.Core.Tracing;

/// <summary>
/// The tables and base chains that currently have a name: as the kernel has reported since the rules were first read, in the same order in which it
/// reports traced packets.
/// </summary>
internal sealed class RuleEpochs
{
    /// <summary>The maximum number of known tables, including deleted ones.</summary>
    public const int MaximumTables = 1 << 12;

    /// <summary>The maximum number of known base chains of a table.</summary>
    public const int MaximumChains = 1 << 12;

    private readonly Dictionary<(string Family, string Table), TableEpoch> _tables = [];
    private bool _isSure = true;

    /// <summary>How many tables are known.</summary>
    public int Count => _tables.Count;

    /// <summary>The table and base chain of a packet that is reported now.</summary>
    /// <param name="family">The table's family, by its name in nft.</param>
    /// <param name="table">The table's name.</param>
    /// <param name="baseChain">The name of the base chain through which the packet entered the table; null when not known.</param>
    public RuleEpoch Of(string family, string table, string? baseChain)
    {
        if (!_tables.TryGetValue((family, table), out TableEpoch? known))
        {
            return RuleEpoch.None with { IsSure = _isSure };
        }

        bool hasChain = baseChain is not null & known.Chains.TryGetValue(baseChain ?? "", out ulong chain);
        return new RuleEpoch(known.Handle, hasChain ? chain : null, known.IsSure);
    }

    /// <summary>Whether a table of this name was deleted, and none has been created since.</summary>
    public bool IsDeleted(string family, string table) => _tables.TryGetValue((family, table), out TableEpoch? known) && known.Handle is null;

    /// <summary>Handles a reported change.</summary>
    public void Take(scoped ref readonly RulesetChange change)
    {
        (string, string) name = (StepResolver.FamilyName(change.Family), Encoding.UTF8.GetString(change.Table));
        TableEpoch? known = _tables.GetValueOrDefault(name);
        switch (change.Kind)
        {
            case RulesetChangeKind.TableMade when known is null || known.Handle != change.Handle || !known.IsSure:
                SetTable(name, new TableEpoch { Handle = change.Handle });
                break;
            case RulesetChangeKind.TableDeleted:
                SetTable(name, new TableEpoch());
                break;
            case RulesetChangeKind.ChainMade when change.IsBaseChain && known is not null && known.Chains.Count < MaximumChains:
                known.Chains[Encoding.UTF8.GetString(change.Chain)] = change.Handle;
                break;
            case RulesetChangeKind.ChainDeleted:
                known?.Chains.Remove(Encoding.UTF8.GetString(change.Chain));
                break;
            default:
                break;
        }
    }

    /// <summary>Changes were lost: the current object of a name may have another handle.</summary>
    public void Lose()
    {
        _isSure = false;
        foreach (TableEpoch table in _tables.Values)
        {
            table.IsSure = false;
        }
    }

    /// <summary>Adds what no change has reported, from the rules that were read.</summary>
    /// <param name="rules">The rules.</param>
    /// <param name="isAfterLoss">Whether they were requested after the last loss of changes: then they replace what is not sure.</param>
    public void Take(NftRuleset rules, bool isAfterLoss)
    {
        if (isAfterLoss && !_isSure)
        {
            _isSure = true;
            foreach ((string, string) name in _tables.Where(each => !each.Value.IsSure).Select(each => each.Key).ToList())
            {
                _tables.Remove(name);
            }
        }

        foreach (((string, string) name, ulong handle) in rules.Tables)
        {
            if (!_tables.ContainsKey(name))
            {
                SetTable(name, new TableEpoch { Handle = handle, IsSure = _isSure });
            }
        }

        foreach (NftChain chain in rules.Chains)
        {
            if (chain.Hook is not null && _tables.TryGetValue((chain.Family, chain.Table), out TableEpoch? table)
                && !table.IsRead && table.Handle == chain.TableHandle && table.Chains.Count < MaximumChains)
            {
                table.Chains.TryAdd(chain.Name, chain.Handle);
            }
        }

        foreach ((string, string) name in rules.Tables.Keys)
        {
            _tables.GetValueOrDefault(name)?.IsRead = true;
        }
    }

    private void SetTable((string, string) name, TableEpoch table)
    {
        if (_tables.Count >= MaximumTables && !_tables.ContainsKey(name))
        {
            foreach ((string, string) deleted in _tables.Where(each => each.Value.Handle is null).Select(each => each.Key).ToList())
            {
                _tables.Remove(deleted);
            }

            if (_tables.Count >= MaximumTables)
            {
                // Steps in it have no text.
                return;
            }
        }

        _tables[name] = table;
    }

    private sealed class TableEpoch
    {
        // Null once the table was deleted.
        public ulong? Handle { get; init; }

        public bool IsSure { get; set; } = true;

        // Whether a text has shown its base chains: those created since were reported.
        public bool IsRead { get; set; }

        public Dictionary<string, ulong> Chains { get; } = new(StringComparer.Ordinal);
    }
}
