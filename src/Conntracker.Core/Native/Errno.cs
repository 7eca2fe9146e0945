using System.Runtime.InteropServices;

namespace Conntracker.Core.Native;

/// <summary>The error number of the last native call on this thread, with the C library's text for it.</summary>
internal static class Errno
{
    /// <summary>The error number of the last import with SetLastError.</summary>
    public static int Last => Marshal.GetLastPInvokeError();

    /// <summary>The C library's text, with the number: <c>Operation not permitted (errno 1)</c>.</summary>
    public static string Describe(int errno) => $"{Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})";
}
