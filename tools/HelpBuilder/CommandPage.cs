namespace Conntracker.HelpBuilder;

/// <summary>A parameter, as its page describes it.</summary>
/// <param name="Name">Its name, without the dash.</param>
/// <param name="Description">What it means.</param>
/// <param name="Type">Its type, as PowerShell's syntax shows it.</param>
/// <param name="Required">Whether it is mandatory: yes or no.</param>
/// <param name="Position">Its position; "named" when it has none.</param>
/// <param name="Default">Its default.</param>
/// <param name="PipelineInput">"no", "by value", "by property name", or both.</param>
/// <param name="Wildcards">Whether it takes wildcards.</param>
/// <param name="Aliases">Other names; "none" when there are none.</param>
/// <param name="Values">Its valid values, with their unit; null when the type says it all.</param>
internal sealed record ParameterText(
    string Name,
    IReadOnlyList<Block> Description,
    string Type,
    bool Required,
    string Position,
    string Default,
    string PipelineInput,
    bool Wildcards,
    string Aliases,
    string? Values);

/// <summary>One way to call a command.</summary>
/// <param name="Parameters">The parameters in the order of the syntax.</param>
internal sealed record Syntax(IReadOnlyList<SyntaxParameter> Parameters);

/// <summary>A parameter within a syntax.</summary>
/// <param name="Name">Its name, without the dash.</param>
/// <param name="Required">Whether it is mandatory in this syntax.</param>
/// <param name="IsSwitch">Whether it takes no value.</param>
internal sealed record SyntaxParameter(string Name, bool Required, bool IsSwitch);

/// <summary>A type that a command accepts or emits.</summary>
internal sealed record TypeText(string Name, IReadOnlyList<Block> Description);

/// <summary>An example: the typed command, and its output.</summary>
internal sealed record Example(string Title, string Code, IReadOnlyList<Block> Remarks);

/// <summary>The page of a command.</summary>
internal sealed record CommandPage(
    string Name,
    string Synopsis,
    IReadOnlyList<Syntax> Syntaxes,
    IReadOnlyList<Block> Description,
    IReadOnlyList<ParameterText> Parameters,
    IReadOnlyList<TypeText> Inputs,
    IReadOnlyList<TypeText> Outputs,
    IReadOnlyList<Block> Notes,
    IReadOnlyList<Example> Examples,
    IReadOnlyList<string> Links);
