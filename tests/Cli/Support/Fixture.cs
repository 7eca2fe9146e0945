namespace Conntracker.Tests.Cli;

/// <summary>Files that stand beside the tests.</summary>
internal static class Fixture
{
    /// <summary>A recording of connection tracking; a replay needs no privileges.</summary>
    public static string Recording => Path.Join(AppContext.BaseDirectory, "Fixtures", "office.ctrec");

    /// <summary>A recording of traced flows, with the rules that they met.</summary>
    public static string TracedRecording => Path.Join(AppContext.BaseDirectory, "Fixtures", "firewall.ctrec");

    /// <summary>A capture file.</summary>
    public static string CaptureFile => Path.Join(AppContext.BaseDirectory, "Fixtures", "office.pcap");

    /// <summary>The project's README.</summary>
    public static string ReadMe => File.ReadAllText(Path.Join(AppContext.BaseDirectory, "README.md"));
}
