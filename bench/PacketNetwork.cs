using System.Diagnostics;

namespace Conntracker.Bench;

/// <summary>A sender and a receiver on one cable, in network namespaces of the bench's own. The receiver answers nothing.</summary>
internal sealed class PacketNetwork : IDisposable
{
    /// <summary>The sender's interface.</summary>
    public const string Near = "near";

    /// <summary>The receiver's interface.</summary>
    public const string Far = "far";

    private readonly string _sender = $"ct-bench-n{Environment.ProcessId}";
    private readonly string _receiver = $"ct-bench-r{Environment.ProcessId}";

    public PacketNetwork()
    {
        foreach (string name in (string[])[_sender, _receiver])
        {
            ChildProcess.Run("ip", "netns", "add", name);

            // No packets but ours.
            ChildProcess.Run("ip", "netns", "exec", name, "sysctl", "-qw", "net.ipv6.conf.default.disable_ipv6=1");
        }

        ChildProcess.Run("ip", "link", "add", Near, "netns", _sender, "type", "veth", "peer", "name", Far, "netns", _receiver);
        ChildProcess.Run("ip", "-n", _sender, "link", "set", Near, "up");
        ChildProcess.Run("ip", "-n", _receiver, "link", "set", Far, "up");
    }

    /// <summary>Sends, to the end.</summary>
    public ChildResult Send(params string[] arguments)
    {
        using Process process = ChildProcess.StartIn(_sender, Environment.ProcessPath!, arguments);
        process.StandardInput.Close();
        return ChildProcess.ReadResult(process);
    }

    /// <summary>Starts a program that captures at the receiver, and waits until it does. It ends, with its result, when its input is closed.</summary>
    public Process StartCapture(params string[] command)
    {
        Process process = ChildProcess.StartIn(_receiver, Environment.ProcessPath!, ["watch", .. command]);
        ChildProcess.WaitForReady(process);
        return process;
    }

    public void Dispose()
    {
        foreach (string name in (string[])[_sender, _receiver])
        {
            ChildProcess.Run("ip", "netns", "delete", name);
        }
    }
}
