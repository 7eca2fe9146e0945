using Xunit;

namespace Conntracker.Tests.Module.Support;

/// <summary>The files of the repository that the tests use.</summary>
internal static class Repository
{
    private static readonly string s_root = FindRoot();

    /// <summary>The module as './build.sh build' makes it.</summary>
    public static string Module
    {
        get
        {
            string module = PathOf("out/module/Conntracker");
            Assert.True(File.Exists(Path.Join(module, "Conntracker.psd1")), $"There is no module in {module}. Run './build.sh build' first.");
            return module;
        }
    }

    /// <summary>The recordings, capture files and logs that the tests read.</summary>
    public static string Fixtures => PathOf("tests/Shared/Fixtures");

    /// <summary>A file or folder, by its path below the repository's folder.</summary>
    public static string PathOf(string path) => Path.Join(s_root, path);

    private static string FindRoot()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Join(folder.FullName, "Conntracker.slnx")))
        {
            folder = folder.Parent;
        }

        Assert.NotNull(folder);
        return folder.FullName;
    }
}
