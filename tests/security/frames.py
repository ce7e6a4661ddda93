"""Sends one frame that somebody may have forged, or listens for such frames until its input ends: frames.py send KIND key=value..., frames.py listen."""
import select
import socket
import struct
import sys
from ipaddress import ip_address

ETH_ALL, IPV4, ARP, IPV6 = 3, 0x0800, 0x0806, 0x86DD
LINK = "eth0"
MARK = b"forged:"


def checksum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def mac(text):
    return bytes.fromhex(text.replace(":", ""))


def ip(protocol, source, target, payload, hops=64):
    a, b = ip_address(source).packed, ip_address(target).packed
    if len(a) == 4:
        head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, hops, protocol, 0, a, b)
        return IPV4, head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload
    return IPV6, struct.pack("!IHBB16s16s", 6 << 28, len(payload), protocol, hops, a, b) + payload


def icmp6(kind, source, target, body):
    whole = bytes([kind, 0, 0, 0]) + body
    pseudo = ip_address(source).packed + ip_address(target).packed + struct.pack("!II", len(whole), 58)
    whole = whole[:2] + struct.pack("!H", checksum(pseudo + whole)) + whole[4:]
    return ip(58, source, target, whole, 255)


def build(kind, o):
    source, target = o.get("source"), o.get("target")
    if kind == "udp":
        data = MARK + o["mark"].encode()
        length = 8 + len(data)
        pseudo = ip_address(source).packed + ip_address(target).packed + struct.pack("!II", length, 17)
        head = struct.pack("!HHH", 4000, int(o.get("port", 4000)), length)
        return ip(17, source, target, head + struct.pack("!H", checksum(pseudo + head + b"\0\0" + data)) + data)
    if kind == "sctp":
        # An INIT chunk; the conntrack of the kernel believes none without its checksum.
        chunk = b"\x01\0\0\x14" + struct.pack("!IIHHI", 1, 65536, 1, 1, 1)
        head = struct.pack("!HHI", 4000, int(o["port"]), 0)
        return ip(132, source, target, head + struct.pack("<I", crc32c(head + b"\0" * 4 + chunk)) + chunk)
    if kind == "arp":
        body = struct.pack("!HHBBH", 1, IPV4, 6, 4, 2) + mac(o["from"]) + ip_address(source).packed
        return ARP, body + mac(o["to"]) + ip_address(target).packed
    if kind == "advertisement":
        return icmp6(136, source, target, b"\x20\0\0\0" + ip_address(o["of"]).packed + b"\x02\x01" + mac(o["from"]))
    if kind == "router":
        return icmp6(134, source, target, struct.pack("!BBHII", 64, 0, 1800, 0, 0))
    raise SystemExit(f"unknown kind {kind}")


def send(kind, options):
    ethertype, payload = build(kind, options)
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    raw.bind((options.get("link", LINK), 0))
    raw.send(mac(options["to"]) + mac(options["from"]) + struct.pack("!H", ethertype) + payload)


def describe(frame):
    (ethertype,) = struct.unpack("!H", frame[12:14])
    body = frame[14:]
    if MARK in frame:
        return "udp " + frame[frame.index(MARK) + len(MARK) :].decode()
    if ethertype == ARP:
        return f"arp {ip_address(body[14:18])}"
    if ethertype == IPV4 and body[9] == 132:
        return f"sctp {struct.unpack('!H', body[22:24])[0]}"
    if ethertype == IPV6 and body[6] == 58 and body[40] == 134:
        return "router"
    if ethertype == IPV6 and body[6] == 58 and body[40] == 136:
        return f"advertisement {ip_address(body[48:64])}"
    return None


def listen():
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_ALL))
    raw.bind((LINK, ETH_ALL))
    print("listening", flush=True)
    while True:
        ready, _, _ = select.select([raw, sys.stdin], [], [])
        if raw not in ready:
            return
        frame, address = raw.recvfrom(65536)
        # What this link sends itself is no news.
        if address[2] != socket.PACKET_OUTGOING and (text := describe(frame)):
            print(text, "by", frame[6:12].hex(":"), flush=True)


if sys.argv[1] == "listen":
    listen()
else:
    send(sys.argv[2], dict(option.split("=", 1) for option in sys.argv[3:]))
