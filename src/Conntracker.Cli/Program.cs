return Conntracker.Cli.CommandLine.Invoke(args);
