using System.Buffers;
using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;
using Conntracker.Core.Native;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Core.Rulesets;

/// <summary>
/// Shows whether the legacy rules have changed: the kernel sends no message when they do. It hashes all rules of the existing tables, read from the
/// kernel as iptables-save reads them, but without a process and without text.
/// </summary>
internal static unsafe class IptablesFingerprint
{
    private const int MaximumTries = 8;
    private const int MaximumSize = 1 << 30;

    /// <summary>Reads the fingerprint, in the network namespace of the calling thread.</summary>
    /// <param name="family">The family.</param>
    /// <returns>
    /// A number that stays the same as long as rules, chains and policies do, whatever their counters are. Null when the family has no legacy tables,
    /// or they may not be read.
    /// </returns>
    public static ulong? Read(FlowFamily family) => Read(family, HashTable);

    /// <summary>
    /// Reads a hash of the layout of the rules: which tables exist, how many rules they have, of what size, and where the chains of the hooks begin.
    /// Its cost does not depend on the number of rules, and it misses a rule that replaces another of the same size.
    /// </summary>
    /// <param name="family">The family.</param>
    /// <returns>Null when the family has no legacy tables, or they may not be read.</returns>
    public static ulong? ReadLayout(FlowFamily family) => Read(family, HashInfo);

    private static ulong? Read(FlowFamily family, Func<SafeFileDescriptor, IptablesLayout, string, ulong, ulong?> hashTable)
    {
        string[] tables = IptablesTables.Names(family);
        IptablesLayout layout = family == FlowFamily.IPv6 ? IptablesLayout.IPv6 : IptablesLayout.IPv4;
        if (tables.Length == 0)
        {
            return null;
        }

        // Any socket of the family will do; a datagram socket needs no capability of its own.
        using SafeFileDescriptor socket = new(LibC.socket(layout.Domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        ulong? hash = null;
        foreach (string table in tables)
        {
            hash = socket.IsInvalid ? null : hashTable(socket, layout, table, hash ?? 0) ?? hash;
        }

        return hash;
    }

    // Null when the table is gone, or may not be read.
    private static ulong? HashInfo(SafeFileDescriptor socket, IptablesLayout layout, string table, ulong hash)
    {
        Span<byte> info = stackalloc byte[layout.InfoLength];
        WriteName(info, table);
        return TryGet(socket, layout.Level, layout.GetInfo, info, out _) ? IptablesEntries.Hash(hash, info) : null;
    }

    // Null when the table is gone, or may not be read.
    private static ulong? HashTable(SafeFileDescriptor socket, IptablesLayout layout, string table, ulong hash)
    {
        Span<byte> info = stackalloc byte[layout.InfoLength];
        for (int tries = 0; tries < MaximumTries; tries++)
        {
            WriteName(info, table);
            if (!TryGet(socket, layout.Level, layout.GetInfo, info, out _))
            {
                return null;
            }

            uint size = BinaryPrimitives.ReadUInt32LittleEndian(info[layout.InfoSize..]);
            if (size > MaximumSize)
            {
                return null;
            }

            int length = layout.HeaderLength + (int)size;
            byte[] buffer = ArrayPool<byte>.Shared.Rent(length);
            try
            {
                // The kernel writes an extension's name only up to its end: the rest of the buffer must not make rules differ.
                Span<byte> answer = buffer.AsSpan(0, length);
                answer.Clear();
                WriteName(answer[..layout.HeaderLength], table);
                BinaryPrimitives.WriteUInt32LittleEndian(answer[layout.HeadSize..], size);
                if (TryGet(socket, layout.Level, layout.GetEntries, answer, out int errno))
                {
                    return IptablesEntries.Hash(IptablesEntries.Hash(hash, info), answer[layout.HeaderLength..], layout);
                }

                if (errno != EAGAIN)
                {
                    return null;
                }
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }
        }

        // The table has changed between the two requests, each time: it is certainly not what it was.
        return IptablesEntries.Hash(hash, BitConverter.GetBytes(Stopwatch.GetTimestamp()));
    }

    private static bool TryGet(SafeFileDescriptor socket, int level, int option, Span<byte> value, out int errno)
    {
        uint length = (uint)value.Length;
        fixed (byte* start = value)
        {
            bool isDone = SafeLibC.getsockopt(socket, level, option, start, &length) == 0 && length == value.Length;
            errno = isDone ? 0 : Errno.Last;
            return isDone;
        }
    }

    private static void WriteName(Span<byte> header, string table)
    {
        header.Clear();

        // The last byte stays zero: it terminates the name.
        Encoding.ASCII.TryGetBytes(table, header[..(IptablesConstants.XT_TABLE_MAXNAMELEN - 1)], out _);
    }
}
