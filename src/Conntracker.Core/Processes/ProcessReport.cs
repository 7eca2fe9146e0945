using System.Buffers.Binary;
using System.Text;
using Conntracker.Core.Netlink;

namespace Conntracker.Core.Processes;

/// <summary>
/// What a capture learns of a process, under a number of its own; also the frame that recordings hold: number, id and user (32 bits
/// each, little-endian), source, scope, then seven texts, each with its length (16 bits; all ones for null) before it, in UTF-8; then the network namespace
/// (64 bits), the real user (32 bits) and its name (a text). Frames of earlier versions end before the namespace, or before the real user. What follows is
/// a later version's, and is skipped.
/// </summary>
/// <param name="Number">Counted up in the order in which processes were learned of.</param>
/// <param name="Scope">Where its sockets are.</param>
/// <param name="Process">The process.</param>
internal readonly record struct ProcessReport(int Number, SocketScope Scope, FlowProcess Process)
{
    /// <summary>The cookie of the network namespace in which its sockets are; 0 when not known.</summary>
    public ulong Namespace { get; init; }

    private const int HeaderLength = 14;
    private const ushort NullLength = ushort.MaxValue;
    private const uint NoUser = uint.MaxValue;

    /// <summary>The longest text that a frame holds, in bytes; longer ones are truncated.</summary>
    private const int LongestText = 60_000;

    /// <summary>Bytes that the frame may have at most.</summary>
    public const int MaximumMessageLength = HeaderLength + (8 * (sizeof(ushort) + LongestText)) + sizeof(ulong) + sizeof(uint);

    /// <summary>Writes the frame; returns its length.</summary>
    public int Write(Span<byte> frame)
    {
        BinaryPrimitives.WriteInt32LittleEndian(frame, Number);
        BinaryPrimitives.WriteInt32LittleEndian(frame[4..], Process.Id);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], Process.UserId ?? NoUser);
        frame[12] = (byte)Process.Source;
        frame[13] = (byte)Scope;
        int length = HeaderLength;
        ReadOnlySpan<string?> texts =
            [Process.Name, Process.CommandLine, Process.Path, Process.UserName, Process.Cgroup, Process.Unit, Process.Container];
        foreach (string? text in texts)
        {
            length += Write(frame[length..], text);
        }

        BinaryPrimitives.WriteUInt64LittleEndian(frame[length..], Namespace);
        length += sizeof(ulong);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[length..], Process.RealUserId ?? NoUser);
        length += sizeof(uint);
        return length + Write(frame[length..], Process.RealUserName);
    }

    /// <summary>Reads a frame.</summary>
    public static DecodeResult Decode(ReadOnlySpan<byte> frame, out ProcessReport report)
    {
        report = default;
        if (frame.Length < HeaderLength || frame[12] > (byte)ProcessSource.Diag || frame[13] > (byte)SocketScope.Elsewhere)
        {
            return DecodeResult.Malformed;
        }

        ReadOnlySpan<byte> rest = frame[HeaderLength..];
        bool isWhole = Read(ref rest, out string? name) & Read(ref rest, out string? commandLine) & Read(ref rest, out string? path)
            & Read(ref rest, out string? userName) & Read(ref rest,
                out string? cgroup) & Read(ref rest, out string? unit) & Read(ref rest, out string? container);
        if (!isWhole || name is null || !ReadNamespace(ref rest, out ulong cookie) || !ReadRealUser(ref rest, out uint? realUser, out string? realUserName))
        {
            return DecodeResult.Malformed;
        }

        uint user = BinaryPrimitives.ReadUInt32LittleEndian(frame[8..]);
        FlowProcess process = new()
        {
            Id = BinaryPrimitives.ReadInt32LittleEndian(frame[4..]),
            Name = name,
            CommandLine = commandLine,
            Path = path,
            UserId = user == NoUser ? null : user,
            UserName = userName,
            RealUserId = realUser,
            RealUserName = realUserName,
            Cgroup = cgroup,
            Unit = unit,
            Container = container,
            Source = (ProcessSource)frame[12],
        };
        report = new ProcessReport(BinaryPrimitives.ReadInt32LittleEndian(frame), (SocketScope)frame[13], process)
        {
            Namespace = cookie,
        };
        return DecodeResult.Decoded;
    }

    private static bool ReadNamespace(ref ReadOnlySpan<byte> rest, out ulong cookie)
    {
        cookie = 0;
        if (rest.IsEmpty)
        {
            return true;
        }

        bool isWhole = BinaryPrimitives.TryReadUInt64LittleEndian(rest, out cookie);
        rest = isWhole ? rest[sizeof(ulong)..] : rest;
        return isWhole;
    }

    private static bool ReadRealUser(ref ReadOnlySpan<byte> rest, out uint? user, out string? name)
    {
        user = null;
        name = null;
        if (rest.IsEmpty)
        {
            return true;
        }

        if (!BinaryPrimitives.TryReadUInt32LittleEndian(rest, out uint number))
        {
            return false;
        }

        user = number == NoUser ? null : number;
        rest = rest[sizeof(uint)..];
        return Read(ref rest, out name);
    }

    private static int Write(Span<byte> frame, string? text)
    {
        if (text is null)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(frame, NullLength);
            return sizeof(ushort);
        }

        // Whole characters only: what does not fit is left out.
        Encoding.UTF8.GetEncoder().Convert(text, frame.Slice(sizeof(ushort), LongestText), flush: true, out _, out int length, out _);
        BinaryPrimitives.WriteUInt16LittleEndian(frame, (ushort)length);
        return sizeof(ushort) + length;
    }

    private static bool Read(ref ReadOnlySpan<byte> rest, out string? text)
    {
        text = null;
        if (rest.Length < sizeof(ushort))
        {
            return false;
        }

        ushort length = BinaryPrimitives.ReadUInt16LittleEndian(rest);
        rest = rest[sizeof(ushort)..];
        if (length == NullLength)
        {
            return true;
        }

        if (length > rest.Length)
        {
            return false;
        }

        text = Encoding.UTF8.GetString(rest[..length]);
        rest = rest[length..];
        return true;
    }
}
