using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Conntracker.PowerShell;

/// <summary>
/// Stops the captures of a runspace when the module is removed from it, and all captures with the last runspace that has the module. All runspaces of
/// the process see the same captures, so removing the module from one must not end those of others. When the process ends the engine stops them
/// itself.
/// </summary>
public sealed class ModuleLifetime : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    /// <summary>The owner of captures started on this thread.</summary>
    internal static Guid Owner => Runspace.DefaultRunspace?.InstanceId ?? Guid.Empty;

    /// <inheritdoc/>
    public void OnImport()
    {
        CaptureRegistry.AddOwner(Owner);
        if (Runspace.DefaultRunspace is Runspace runspace)
        {
            // Subscribed once, however often the module is imported into the runspace.
            runspace.StateChanged -= ForgetWhenClosed;
            runspace.StateChanged += ForgetWhenClosed;
        }
    }

    /// <inheritdoc/>
    public void OnRemove(PSModuleInfo psModuleInfo) => CaptureRegistry.RemoveOwner(Owner);

    // PowerShell does not remove modules from a closing runspace. Its captures are kept: 'ForEach-Object -Parallel' starts them that way.
    private static void ForgetWhenClosed(object? sender, RunspaceStateEventArgs change)
    {
        if (sender is Runspace runspace && change.RunspaceStateInfo.State is RunspaceState.Closed or RunspaceState.Broken)
        {
            CaptureRegistry.ForgetOwner(runspace.InstanceId);
        }
    }
}
