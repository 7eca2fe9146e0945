using System.Text.RegularExpressions;

namespace Conntracker.Tests.Live.Support;

/// <summary>A firewall as users have it, in nftables and in iptables at once; and all of it as their own tools show it.</summary>
internal static partial class UserRules
{
    /// <summary>Loads the rules.</summary>
    public static void Load(TestNamespace where)
    {
        where.LoadRules("""
            table inet users {
              set admins {
                type ipv4_addr
                elements = { 192.0.2.2, 192.0.2.3 }
              }
              chain input {
                type filter hook input priority filter; policy accept;
                ct state established,related counter accept
                ip saddr @admins tcp dport 22 accept comment "from the office"
                jump services
              }
              chain services {
                tcp dport { 80, 443 } counter accept
              }
            }
            table ip nat {
              chain prerouting {
                type nat hook prerouting priority dstnat
                tcp dport 8080 dnat to 198.51.100.2:80
              }
            }
            """);
        foreach (string iptables in (string[])["iptables-legacy", "ip6tables-legacy"])
        {
            where.Run(iptables, "-A", "INPUT", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP");
            where.Run(iptables, "-N", "services");
            where.Run(iptables, "-A", "INPUT", "-p", "tcp", "-m", "comment", "--comment", "of the users", "-j", "services");
            where.Run(iptables, "-t", "nat", "-A", "POSTROUTING", "-o", "outside", "-j", "MASQUERADE");
        }
    }

    /// <summary>Everything: handles and counters too, our own tables left out.</summary>
    public static string Show(TestNamespace where)
    {
        string nftables = WithoutOwn(where.Run("nft", "-a", "list", "ruleset"));
        string legacy = string.Join('\n', new[] { "iptables-legacy-save", "ip6tables-legacy-save" }.Select(save => where.Run(save, "-c")));

        // What begins with # tells when the tool ran.
        return nftables.Trim() + '\n' + string.Join('\n', legacy.Split('\n').Where(line => !line.StartsWith('#')));
    }

    /// <summary>What nft lists, without our own tables.</summary>
    public static string WithoutOwn(string ruleset) => ConntrackerTable().Replace(ruleset, "");

    [GeneratedRegex(@"^table inet conntracker(_\d+)? \{.*?^\}\n?", RegexOptions.Singleline | RegexOptions.Multiline)]
    private static partial Regex ConntrackerTable();
}
