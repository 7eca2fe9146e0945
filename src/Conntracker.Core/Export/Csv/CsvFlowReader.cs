using System.Text;
using Conntracker.Core.Export.Common;

namespace Conntracker.Core.Export.Csv;

/// <summary>Reads flows from CSV with a header row. Columns are found by name; unknown ones are skipped.</summary>
internal static class CsvFlowReader
{
    private const int LongestRecord = 4 * 1024 * 1024;

    private static readonly Dictionary<string, FlowColumn> s_columns =
        FlowColumns.All.ToDictionary(column => column.Name, StringComparer.OrdinalIgnoreCase);

    /// <summary>True for the name of a column.</summary>
    public static bool IsColumn(string name) => s_columns.ContainsKey(name);

    /// <summary>Reads flows. A record that is not a flow is reported, and reading continues below it; without a header nothing can be read.</summary>
    public static IEnumerable<Flow> Read(InputBuffer input, Action<LogFormatException> onError)
    {
        CsvReader reader = new(input, LongestRecord);
        if (!reader.Read())
        {
            yield break;
        }

        FlowColumn?[] columns = Header(reader, out string? fault);
        if (fault is not null)
        {
            onError(new LogFormatException(LogFormat.Csv, reader.Number, reader.Record, fault));
            yield break;
        }

        while (reader.Read())
        {
            Flow flow = new();
            fault = reader.Error ?? Fill(flow, columns, reader) ?? FlowFault.Of(flow);
            if (fault is null)
            {
                yield return flow;
            }
            else
            {
                onError(new LogFormatException(LogFormat.Csv, reader.Number, reader.Record, fault));
            }
        }
    }

    private static FlowColumn?[] Header(CsvReader reader, out string? fault)
    {
        fault = reader.Error;
        if (fault is not null)
        {
            return [];
        }

        FlowColumn?[] columns = new FlowColumn?[reader.Count];
        for (int i = 0; i < columns.Length; i++)
        {
            FlowColumn? column = s_columns.GetValueOrDefault(Encoding.UTF8.GetString(reader[i]));
            if (column is not null && columns.Contains(column))
            {
                fault = $"The header names the column {column.Name} twice.";
            }

            columns[i] = column;
        }

        string missing = string.Join(", ", FlowColumns.All.Where(column => column.IsRequired && !columns.Contains(column)).Select(column => column.Name));
        if (missing.Length > 0)
        {
            fault = $"The header row does not contain {missing}. A CSV file of flows begins with a row of property names.";
        }

        return columns;
    }

    // Why the cells are not a flow; null when they are.
    private static string? Fill(Flow flow, FlowColumn?[] columns, CsvReader reader)
    {
        if (reader.Count != columns.Length)
        {
            return $"The record has {reader.Count} cells, and the header has {columns.Length}.";
        }

        for (int i = 0; i < columns.Length; i++)
        {
            if (columns[i] is not FlowColumn column)
            {
                continue;
            }

            if (reader.IsNull(i))
            {
                if (column.IsRequired)
                {
                    return $"{column.Name} is empty.";
                }
            }
            else if (!column.TryRead(flow, reader[i]))
            {
                return $"{column.Name} does not have a valid value.";
            }
        }

        return null;
    }
}
