using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Conntracker.Core.Native;
using Tmds.Linux;
using static Tmds.Linux.LibC;

namespace Conntracker.Bench;

/// <summary>Sends small UDP packets of many flows in turn, as fast as one thread can: frames made beforehand, hundreds a system call, past IP.</summary>
internal static unsafe partial class PacketSender
{
    private const int FrameLength = 60;
    private const int FramesAtATime = 256;
    private const int ServerPort = 8000;

    /// <summary>Sends for some seconds.</summary>
    /// <param name="device">The interface to send through.</param>
    /// <param name="flows">How many flows; a multiple of 256.</param>
    /// <param name="seconds">For how long.</param>
    /// <returns>How many packets were sent, and how long it took.</returns>
    public static ChildResult Send(string device, int flows, double seconds)
    {
        using SafeFileDescriptor socket = new(Check(LibC.socket((int)AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)));
        byte* frames = (byte*)NativeMemory.AllocZeroed((nuint)flows, FrameLength);
        iovec* buffers = (iovec*)NativeMemory.AllocZeroed((nuint)flows, (nuint)sizeof(iovec));
        mmsghdr* messages = (mmsghdr*)NativeMemory.AllocZeroed((nuint)flows, (nuint)sizeof(mmsghdr));

        // struct sockaddr_ll: all that a raw frame needs is the interface.
        int* address = stackalloc int[5] { (int)AF_PACKET, int.Parse(File.ReadAllText($"/sys/class/net/{device}/ifindex"), CultureInfo.InvariantCulture), 0, 0, 0 };
        for (int i = 0; i < flows; i++)
        {
            WriteFrame(new Span<byte>(frames + (i * FrameLength), FrameLength), i);
            buffers[i] = new iovec { iov_base = frames + (i * FrameLength), iov_len = FrameLength };
            messages[i].msg_hdr = new msghdr { msg_name = address, msg_namelen = 5 * sizeof(int), msg_iov = buffers + i, msg_iovlen = 1 };
        }

        long sent = 0;
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started).TotalSeconds < seconds)
        {
            sent += Check(sendmmsg(socket, messages + (sent % flows), (uint)Math.Min(FramesAtATime, flows - (sent % flows)), 0));
        }

        double took = Stopwatch.GetElapsedTime(started).TotalSeconds;
        NativeMemory.Free(messages);
        NativeMemory.Free(buffers);
        NativeMemory.Free(frames);
        return new ChildResult { Events = sent, Flows = flows, Seconds = took };
    }

    private static void WriteFrame(Span<byte> frame, int number)
    {
        const int Header = 8;
        int payload = FrameLength - FrameWriter.EthernetLength - 20;
        int at = FrameWriter.WriteHeaders(frame, isIpv6: false, FrameWriter.Udp, (uint)(number / 16) + 1, server: 1, fromClient: true, payload);
        FrameWriter.WritePorts(frame[at..], (ushort)(32768 + (number % 16)), ServerPort, fromClient: true);
        frame[at + 5] = (byte)payload;
        Debug.Assert(payload > Header, "The length of UDP has its own header in it.");
    }

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [LibraryImport("libc", SetLastError = true)]
    private static partial int sendmmsg(SafeFileDescriptor sockfd, mmsghdr* msgvec, uint vlen, int flags);
}
