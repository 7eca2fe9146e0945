namespace Conntracker.Tests.Fuzz.Harnesses;

/// <summary>What must be so, whatever the input is.</summary>
internal static class Must
{
    /// <summary>Ends the input with a finding when it is not so.</summary>
    public static void Be(bool isSo, string what)
    {
        if (!isSo)
        {
            throw new InvalidOperationException($"It is not so: {what}");
        }
    }
}
