using Conntracker.Tests;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;



// The module keeps its captures for the whole process, and the kernel's settings are one for all: one test at a time.
[assembly: Parallelization(Mode = ParallelMode.None)]
[assembly: AssemblyFixture(typeof(Leftovers))]
