using System.Runtime.ExceptionServices;
using Conntracker.Core.Native;
using Microsoft.Win32.SafeHandles;
using static Tmds.Linux.LibC;

namespace Conntracker;

/// <summary>Enters a network namespace with the calling thread, and only with it.</summary>
public static class NetworkNamespace
{
    private const string NamedDirectory = "/run/netns";

    /// <summary>The file of a namespace.</summary>
    /// <param name="name">A name as <c>ip netns</c> shows it, or a path.</param>
    internal static string PathOf(string name) => name.Contains('/', StringComparison.Ordinal) ? name : $"{NamedDirectory}/{name}";

    /// <summary>Does something in a namespace, on a thread of its own, and waits for its end.</summary>
    /// <param name="name">A name as <c>ip netns</c> shows it, or a path; null for the namespace of the calling thread, on that thread.</param>
    /// <param name="action">What is done. Programs that it starts are in the namespace as well.</param>
    /// <exception cref="ConntrackException">There is no such namespace, or it may not be entered.</exception>
    public static T Run<T>(string? name, Func<T> action)
    {
        if (name is null)
        {
            return action();
        }

        T result = default!;
        ExceptionDispatchInfo? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                Enter(name);
                result = action();
            }
            catch (Exception error)
            {
                failure = ExceptionDispatchInfo.Capture(error);
            }
        })
        { IsBackground = true, Name = "conntracker namespace" };
        thread.Start();
        thread.Join();
        failure?.Throw();
        return result;
    }

    /// <summary>Enters a namespace. The thread stays there until it ends: it must be a capture's own, never a pool thread.</summary>
    /// <param name="name">A name as <c>ip netns</c> shows it, or a path.</param>
    /// <exception cref="ConntrackException">There is no such namespace, or it may not be entered.</exception>
    public static void Enter(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        string path = PathOf(name);
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConntrackException(
                error is UnauthorizedAccessException ? ConntrackErrorReason.PermissionDenied : ConntrackErrorReason.NamespaceNotFound,
                $"The network namespace '{name}' cannot be opened: {error.Message} 'ip netns list' shows named ones.",
                error);
        }

        using (file)
        {
            if (SafeLibC.setns(file, CLONE_NEWNET) < 0)
            {
                int errno = Errno.Last;
                throw errno == EINVAL
                    ? new ConntrackException(ConntrackErrorReason.NamespaceNotFound, $"{path} is not a network namespace: {Errno.Describe(errno)}.")
                    : new ConntrackException(
                        ConntrackErrorReason.PermissionDenied,
                        $"The network namespace '{name}' cannot be entered: {Errno.Describe(errno)}. The capability CAP_SYS_ADMIN is missing: " +
                            "run as root, or with sudo.");
            }
        }
    }
}
