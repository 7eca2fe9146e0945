using Xunit.Sdk;
using Xunit.v3;



// Standard error, standard output and signals belong to the whole process.
[assembly: Parallelization(Mode = ParallelMode.None)]
