using System.Management.Automation;
using Conntracker.Core.Capture;

namespace Conntracker.PowerShell;

/// <summary>Stops every capture when the module is removed. When the process ends the engine does so itself.</summary>
public sealed class ModuleLifetime : IModuleAssemblyCleanup
{
    /// <inheritdoc/>
    public void OnRemove(PSModuleInfo psModuleInfo) => CaptureRegistry.RemoveAll();
}
