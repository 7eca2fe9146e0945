using System.Runtime.InteropServices;

namespace Conntracker.Core.Feeds;

/// <summary>The running kernel, for the header of a recording.</summary>
internal static class KernelName
{
    /// <summary>Name, release and machine, as <c>uname -srm</c> prints them.</summary>
    public static string Read()
    {
        string release = File.ReadAllText("/proc/sys/kernel/osrelease").Trim();
        string machine = RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => "x86_64",
            Architecture.Arm64 => "aarch64",
            Architecture other => other.ToString(),
        };
        return $"Linux {release} {machine}";
    }
}
