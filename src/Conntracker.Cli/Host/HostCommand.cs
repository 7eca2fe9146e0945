using System.CommandLine;
using System.Text;

namespace Conntracker.Cli;

/// <summary><c>conntracker host</c>: describes this host, or a network namespace of it, as JSON.</summary>
internal static class HostCommand
{
    /// <summary>Creates the command.</summary>
    public static Command Create()
    {
        Option<string?> netns = new("--netns") { Description = "Describe this network namespace: a name from 'ip netns', or a path", HelpName = "NAME" };
        Option<string> output = new("--output", "-o")
        {
            Description = "Output file; - is standard output",
            HelpName = "FILE|-",
            DefaultValueFactory = _ => LogOutput.StandardOutput,
        };
        Command command = new("host", "Describes this host as JSON: interfaces, addresses, routes and settings that decide how its firewall treats packets.")
        {
            netns, output,
        };
        command.SetAction(parsed => Subcommands.Run(cancellation => Execute(parsed.GetValue(netns), parsed.GetValue(output)!, cancellation)));
        return command;
    }

    private static int Execute(string? networkNamespace, string output, CancellationToken cancellation)
    {
        FirewallHost host = FirewallHostReader.Read(networkNamespace, cancellation);
        OutputFile.Write(output, Encoding.UTF8.GetBytes(host.ToJson()));
        foreach (string notice in host.Notices)
        {
            Messages.Notice(notice);
        }

        return ExitCode.Success;
    }
}
