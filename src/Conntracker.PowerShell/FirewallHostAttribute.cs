using System.Management.Automation;

namespace Conntracker.PowerShell;

/// <summary>
/// Accepts a host as a <see cref="FirewallHost"/>, as an object of Import-Clixml, another session or ConvertFrom-Json, and as the path of a file that
/// describes it (JSON or XML).
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class FirewallHostAttribute : ArgumentTransformationAttribute
{
    /// <inheritdoc/>
    public override object? Transform(EngineIntrinsics engineIntrinsics, object? inputData)
    {
        try
        {
            return (inputData is PSObject wrapped ? wrapped.BaseObject : inputData) switch
            {
                null => null,
                string path => FirewallHostFile.Read(engineIntrinsics.SessionState.Path.GetUnresolvedProviderPathFromPSPath(path)) is [FirewallHost only]
                    ? only
                    : throw new ConntrackException(ConntrackErrorReason.HostDescriptionInvalid, $"'{path}' describes several hosts, and one is needed."),
                _ => FirewallHostConverter.Convert(inputData, "The object"),
            };
        }
        catch (ConntrackException error)
        {
            throw new ArgumentTransformationMetadataException(error.Message, error);
        }
    }
}
