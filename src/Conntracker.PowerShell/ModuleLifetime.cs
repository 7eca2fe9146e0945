using System.Management.Automation;
using System.Management.Automation.Runspaces;

namespace Conntracker.PowerShell;

/// <summary>
/// Stops the captures of a runspace when the module is removed from it, and all captures with the last runspace that has the module.
/// Captures are seen in the whole process, so one runspace's removal must not end those of others. When the process ends the engine
/// stops them itself.
/// </summary>
public sealed class ModuleLifetime : IModuleAssemblyInitializer, IModuleAssemblyCleanup
{
    /// <summary>Who owns the captures that are started on this thread.</summary>
    internal static Guid Owner => Runspace.DefaultRunspace?.InstanceId ?? Guid.Empty;

    /// <inheritdoc/>
    public void OnImport()
    {
        CaptureRegistry.AddOwner(Owner);
        if (Runspace.DefaultRunspace is Runspace runspace)
        {
            // Once, however often the module is imported into it.
            runspace.StateChanged -= ForgetWhenClosed;
            runspace.StateChanged += ForgetWhenClosed;
        }
    }

    /// <inheritdoc/>
    public void OnRemove(PSModuleInfo psModuleInfo) => CaptureRegistry.RemoveOwner(Owner);

    // PowerShell does not remove modules from a runspace that closes. Its captures are worth keeping: 'ForEach-Object -Parallel' starts them so.
    private static void ForgetWhenClosed(object? sender, RunspaceStateEventArgs change)
    {
        if (sender is Runspace runspace && change.RunspaceStateInfo.State is RunspaceState.Closed or RunspaceState.Broken)
        {
            CaptureRegistry.ForgetOwner(runspace.InstanceId);
        }
    }
}
