using System.CommandLine;
using System.CommandLine.Parsing;

namespace Conntracker.Cli;

/// <summary>The options of the tree that is updated while a capture runs.</summary>
internal sealed class TreeOptions
{
    private readonly Option<string?> _tree = new("--tree")
    {
        Description = "Keep a tree of empty files for firewall rules in this directory while the capture runs: " +
            "{in,out,else}/PROTOCOL/SOURCE-PORT-DESTINATION-PORT. Writes no log unless -o is given",
        HelpName = "DIR",
    };

    private readonly Option<bool> _skipElse = new("--skip-else") { Description = "With --tree: leave out flows that are neither incoming nor outgoing" };

    private readonly Option<InternetFolding> _foldInternet = new("--fold-internet")
    {
        Description = "With --tree: for which flows a remote address on the internet becomes INTERNET",
        HelpName = "both|in|out|none",
        DefaultValueFactory = _ => InternetFolding.Both,
        CustomParser = OptionParsers.Name<InternetFolding>,
    };

    /// <summary>All of these options, in the order of the help.</summary>
    public IReadOnlyList<Option> All => [_tree, _skipElse, _foldInternet];

    /// <summary>The tree's directory; null for no tree.</summary>
    public string? Path(ParseResult parsed) => parsed.GetValue(_tree);

    /// <summary>How flows become entries.</summary>
    /// <param name="parsed">The parsed command line.</param>
    /// <param name="maximum">The maximum number of entries.</param>
    public FlowTreeOptions Bind(ParseResult parsed, int maximum) =>
        new() { SkipElse = parsed.GetValue(_skipElse), FoldInternet = parsed.GetValue(_foldInternet), MaximumEntries = maximum };

    /// <summary>Reports conflicting options.</summary>
    /// <param name="command">The parsed command line.</param>
    /// <param name="output">The option for the log's path.</param>
    /// <param name="format">The option for the log's format.</param>
    /// <param name="style">The option for the text log's generation.</param>
    public void Validate(CommandResult command, Option output, Option format, Option style)
    {
        bool hasTree = IsGiven(command, _tree);
        Option[] treeOnly = [_skipElse, _foldInternet];
        foreach (Option option in treeOnly.Where(each => !hasTree && IsGiven(command, each)))
        {
            command.AddError($"{option.Name} requires {_tree.Name}: only a tree is folded for firewall rules.");
        }

        Option[] logOnly = [format, style];
        foreach (Option option in logOnly.Where(each => hasTree && IsGiven(command, each) && !IsGiven(command, output)))
        {
            command.AddError($"{option.Name} requires a log: with {_tree.Name}, a log is written only with {output.Name} (-o).");
        }
    }

    private static bool IsGiven(CommandResult command, Option option) => command.GetResult(option) is { Implicit: false };
}
