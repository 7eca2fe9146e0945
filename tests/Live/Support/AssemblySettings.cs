using Conntracker.Tests;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;



// The kernel's settings and /run/conntracker are one for all: one test at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(Leftovers))]
