# SPDX-License-Identifier: BSD-3-Clause
"""Packets of tests: Ethernet, VLAN, IPv4, IPv6, TCP, UDP; written as pcap, read from pcap and pcapng."""
import ipaddress
import struct
from dataclasses import dataclass, field

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
TCP, UDP = 6, 17
MAC = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")


@dataclass
class Packet:
    time: int  # ns since 1970
    src: str
    dst: str
    sport: int
    dport: int
    payload: bytes = b""
    proto: int = TCP
    seq: int = 0
    ack: int = 0
    flags: int = 0
    vlan: int = 0
    comment: str = ""    # of pcapng
    interface: str = ""  # of pcapng
    errors: list = field(default_factory=list)

    def key(self):
        return (self.src, self.sport, self.dst, self.dport)


def checksum(data):
    """RFC 1071; 0 over data that holds its own good checksum."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def pseudo_header(src, dst, proto, length):
    if len(src) == 4:
        return src + dst + struct.pack("!BBH", 0, proto, length)
    return src + dst + struct.pack("!IHBB", length, 0, 0, proto)


def layer4(packet, src, dst):
    if packet.proto == TCP:
        options = b"\x02\x04\x05\xb4" if packet.flags & SYN else b""
        head = struct.pack("!HHIIBBHHH", packet.sport, packet.dport, packet.seq, packet.ack,
                           (20 + len(options)) // 4 << 4, packet.flags, 65535, 0, 0) + options
        where = 16
    else:
        head = struct.pack("!HHHH", packet.sport, packet.dport, 8 + len(packet.payload), 0)
        where = 6
    whole = head + packet.payload
    value = checksum(pseudo_header(src, dst, packet.proto, len(whole)) + whole)
    if packet.proto == UDP and not value:
        value = 0xffff  # RFC 768: 0 says that there is none
    return whole[:where] + struct.pack("!H", value) + whole[where + 2:]


def layer3(packet):
    src, dst = (ipaddress.ip_address(a).packed for a in (packet.src, packet.dst))
    data = layer4(packet, src, dst)
    if len(src) == 16:
        return struct.pack("!IHBB", 6 << 28, len(data), packet.proto, 64) + src + dst + data
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 0, 0x4000, 64, packet.proto, 0) + src + dst
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + data


def frame(packet):
    version = ipaddress.ip_address(packet.src).version
    kind = struct.pack("!H", 0x0800 if version == 4 else 0x86dd)
    if packet.vlan:
        kind = struct.pack("!HH", 0x8100, packet.vlan) + kind
    return MAC[1] + MAC[0] + kind + layer3(packet)


def pcap_write(path, packets):
    """In the order of their times. Nanoseconds, Ethernet."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xa1b23c4d, 2, 4, 0, 0, 65535, 1))
        for packet in sorted(packets, key=lambda p: p.time):
            data = frame(packet)
            file.write(struct.pack("<IIII", *divmod(packet.time, 10**9), len(data), len(data)) + data)


def layer4_read(packet, data, src, dst):
    if checksum(pseudo_header(src, dst, packet.proto, len(data)) + data):
        packet.errors.append("transport checksum")
    packet.sport, packet.dport = struct.unpack("!HH", data[:4])
    if packet.proto == UDP:
        if struct.unpack("!H", data[4:6])[0] != len(data):
            packet.errors.append("UDP length")
        packet.payload = data[8:]
    else:
        packet.seq, packet.ack, offset, packet.flags = struct.unpack("!IIBB", data[4:14])
        packet.payload = data[(offset >> 4) * 4:]


def frame_read(time, data):
    """The packet in an Ethernet frame; None if it is neither TCP nor UDP. What is wrong in it: .errors"""
    packet = Packet(time, "", "", 0, 0)
    kind, = struct.unpack("!H", data[12:14])
    at = 14
    if kind == 0x8100:
        packet.vlan, kind = struct.unpack("!HH", data[14:18])
        at = 18
    data = data[at:]
    if kind == 0x0800:
        length, = struct.unpack("!H", data[2:4])
        head, packet.proto, src, dst = (data[0] & 15) * 4, data[9], data[12:16], data[16:20]
        if checksum(data[:head]):
            packet.errors.append("IP checksum")
    elif kind == 0x86dd:
        length = 40 + struct.unpack("!H", data[4:6])[0]
        head, packet.proto, src, dst = 40, data[6], data[8:24], data[24:40]
    else:
        return None
    if packet.proto not in (TCP, UDP):
        return None
    if length > len(data):
        packet.errors.append("IP length")
    packet.src, packet.dst = str(ipaddress.ip_address(src)), str(ipaddress.ip_address(dst))
    layer4_read(packet, data[head:length], src, dst)
    return packet


def pcapng_options(data):
    while len(data) >= 4:
        code, length = struct.unpack("<HH", data[:4])
        if not code:
            return
        yield code, data[4:4 + length]
        data = data[4 + (length + 3) // 4 * 4:]


def pcapng_frames(data):
    """(ns, frame, comment, name of the interface) of each packet. Only what the gate writes: ns, little-endian."""
    names, at = [], 0
    while at < len(data):
        kind, length = struct.unpack("<II", data[at:at + 8])
        body = data[at + 8:at + length - 4]
        if kind == 1:
            options = dict(pcapng_options(body[8:]))
            assert options[9] == b"\x09", "not in nanoseconds"
            names.append(options[2].decode())
        elif kind == 6:
            number, high, low, caught, _ = struct.unpack("<IIIII", body[:20])
            options = dict(pcapng_options(body[20 + (caught + 3) // 4 * 4:]))
            yield (high << 32 | low), body[20:20 + caught], options.get(1, b"").decode(), names[number]
        at += length


def pcapng_read(path):
    """The TCP and UDP packets of a pcapng that the gate wrote."""
    packets = []
    with open(path, "rb") as file:
        for time, data, comment, interface in pcapng_frames(file.read()):
            packet = frame_read(time, data)
            if packet:
                packet.comment, packet.interface = comment, interface
                packets.append(packet)
    return packets
