#!/usr/bin/env python3
"""Makes office.pcap and office.pcapng, the capture files that the tests of the module read: the same packets in both formats, as a mirror port
of the host 192.0.2.10 would show them. Every byte is made here; tests name the flows and count the packets.

 1  TCP   192.0.2.10:40001 > 198.51.100.2:443    opened, 100 bytes there, 200 back, closed          7 packets there, 5 back
 2  TCP   203.0.113.5:50000 > 192.0.2.10:22      opened, and stays so                               2 there, 1 back
 3  UDP   192.0.2.10:41053 > 198.51.100.53:53    a query and its answer                             1 there, 1 back
 4  UDP   203.0.113.6:50001 and 192.0.2.10:9999  the file begins with an answer of the service      1 each way
 5  ICMP  192.0.2.10 > 198.51.100.2              echo and reply                                     1 there, 1 back
 6  TCP   10.1.0.2:40002 > 198.51.100.2:80       one SYN of two other hosts, not answered           1 there
 7  TCP   2001:db8:1::2:40004 > 2001:db8:2::2:443  opened, in VLAN 7                                2 there, 1 back
 8  ARP   a question: no flow tells of it                                                          1
"""
import os
import socket
import struct

MAC = bytes.fromhex("020000000001") + bytes.fromhex("020000000002")
START = 1_750_000_000
FIN, SYN, PSH, ACK = 1, 2, 8, 16
packets = []


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def put(kind, payload, vlan=None):
    tag = b"" if vlan is None else struct.pack("!HH", 0x8100, vlan)
    packets.append((MAC + tag + struct.pack("!H", kind) + payload).ljust(60, b"\0"))


def ip(source, target, protocol, segment, sum_at=None, vlan=None):
    six = ":" in source
    ends = b"".join(socket.inet_pton(socket.AF_INET6 if six else socket.AF_INET, each) for each in (source, target))
    if sum_at is not None:
        pseudo = ends + (struct.pack("!IxxxB", len(segment), protocol) if six else struct.pack("!xBH", protocol, len(segment)))
        value = checksum((b"" if protocol == 1 else pseudo) + segment)
        segment = segment[:sum_at] + struct.pack("!H", value) + segment[sum_at + 2:]
    if six:
        put(0x86DD, struct.pack("!IHBB", 6 << 28, len(segment), protocol, 64) + ends + segment, vlan)
    else:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(segment), 1, 0x4000, 64, protocol, 0) + ends
        put(0x0800, head[:10] + struct.pack("!H", checksum(head)) + head[12:] + segment, vlan)


def tcp(source, port, target, target_port, flags, seq, ack, data=b"", vlan=None):
    ip(source, target, 6, struct.pack("!HHIIBBHHH", port, target_port, seq, ack, 0x50, flags, 64240, 0, 0) + data, 16, vlan)


def udp(source, port, target, target_port, data):
    ip(source, target, 17, struct.pack("!HHHH", port, target_port, 8 + len(data), 0) + data, 6)


def icmp(source, target, kind):
    ip(source, target, 1, struct.pack("!BBHHH", kind, 0, 0, 77, 1) + b"conntracker", 2)


here, web, guest = "192.0.2.10", "198.51.100.2", "203.0.113.5"
out, back = (here, 40001, web, 443), (web, 443, here, 40001)
tcp(*out, SYN, 1000, 0)
tcp(*back, SYN | ACK, 5000, 1001)
tcp(*out, ACK, 1001, 5001)
tcp(*out, PSH | ACK, 1001, 5001, b"x" * 100)
tcp(*back, ACK, 5001, 1101)
tcp(guest, 50000, here, 22, SYN, 1, 0)
tcp(here, 22, guest, 50000, SYN | ACK, 1, 2)
tcp(guest, 50000, here, 22, ACK, 2, 2)
udp(here, 41053, "198.51.100.53", 53, b"query")
udp("198.51.100.53", 53, here, 41053, b"an answer")
udp(here, 9999, "203.0.113.6", 50001, b"answered before the file began")
udp("203.0.113.6", 50001, here, 9999, b"again")
icmp(here, web, 8)
icmp(web, here, 0)
tcp("10.1.0.2", 40002, web, 80, SYN, 1, 0)
six = ("2001:db8:1::2", 40004, "2001:db8:2::2", 443)
tcp(*six, SYN, 1, 0, vlan=7)
tcp(*six[2:], *six[:2], SYN | ACK, 1, 2, vlan=7)
tcp(*six, ACK, 2, 2, vlan=7)
put(0x0806, struct.pack("!HHBBH", 1, 0x0800, 6, 4, 1) + MAC[6:] + socket.inet_aton(here) + b"\0" * 6 + socket.inet_aton("192.0.2.1"))
tcp(*back, PSH | ACK, 5001, 1101, b"y" * 200)
tcp(*out, ACK, 1101, 5201)
tcp(*out, FIN | ACK, 1101, 5201)
tcp(*back, ACK, 5201, 1102)
tcp(*back, FIN | ACK, 5201, 1102)
tcp(*out, ACK, 1102, 5202)
tcp(*out, ACK, 1102, 5202)

folder = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(folder, "office.pcap"), "wb") as file:
    file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    for number, packet in enumerate(packets):
        file.write(struct.pack("<IIII", START + number // 10, number % 10 * 100_000, len(packet), len(packet)) + packet)


def block(kind, body):
    body += b"\0" * (-len(body) % 4)
    return struct.pack("<II", kind, 12 + len(body)) + body + struct.pack("<I", 12 + len(body))


with open(os.path.join(folder, "office.pcapng"), "wb") as file:
    file.write(block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", 1, 0, 262144)))
    for number, packet in enumerate(packets):
        time = (START + number // 10) * 1_000_000 + number % 10 * 100_000
        file.write(block(6, struct.pack("<IIIII", 0, time >> 32, time & 0xFFFFFFFF, len(packet), len(packet)) + packet))
