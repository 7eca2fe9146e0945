using Conntracker.Tests;
using Xunit;

// The module keeps its captures for the whole process, and the kernel's settings are one for all: one test at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
[assembly: AssemblyFixture(typeof(Leftovers))]
