using Conntracker.Tests;
using Xunit;

// The kernel's settings and /run/conntracker are one for all: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(Leftovers))]
