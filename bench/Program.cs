return Conntracker.Bench.Children.TryRun(args, out int code) ? code : Conntracker.Bench.Suite.Run(args);
