using System.Globalization;

namespace Conntracker.Core.Processes;

/// <summary>
/// The names of users, from /etc/passwd; read again when it has changed. Network directories are not queried: an answer could take seconds.
/// </summary>
internal sealed class UserNames
{
    private const string PasswordFile = "/etc/passwd";
    private const int MaximumUsers = 65_536;

    private static readonly TimeSpan s_lookEvery = TimeSpan.FromSeconds(2);

    private readonly Dictionary<uint, string> _names = [];
    private DateTime _changed;
    private long _nextLook;

    /// <summary>A user's name; null when it is not known.</summary>
    public string? Find(uint user)
    {
        if (Environment.TickCount64 >= _nextLook)
        {
            _nextLook = Environment.TickCount64 + (long)s_lookEvery.TotalMilliseconds;
            ReadWhenChanged();
        }

        return _names.GetValueOrDefault(user);
    }

    private void ReadWhenChanged()
    {
        DateTime changed = File.GetLastWriteTimeUtc(PasswordFile);
        if (changed == _changed)
        {
            return;
        }

        _changed = changed;
        _names.Clear();
        try
        {
            // name:password:number:…
            foreach (string line in File.ReadLines(PasswordFile).Take(MaximumUsers))
            {
                string[] fields = line.Split(':');
                if (fields.Length > 2 && uint.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out uint user))
                {
                    _names.TryAdd(user, fields[0]);
                }
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Users are then shown by number.
        }
    }
}
