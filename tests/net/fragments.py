#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""fragments.py ADDRESS PORT ORDER SOURCES PORTS: from each of SOURCES own addresses, which count up
from .10 or ::10, and from PORTS ports of each, one UDP datagram of 4,000 bytes in three fragments.
ORDER is "forward", "backward", "middle" (the second one first) or "twice" (each fragment twice).

The server (server.c) answers with every byte XOR its id, and only if all came to it. Says what became
of the datagrams in the words of short_flows.c. With ORDER forward, a whole datagram of the same
flow must have the same server."""
import ipaddress
import os
import random
import socket
import struct
import sys

PAYLOAD_BYTES = 4000 - 8
PART_BYTES = 1440  # a multiple of 8; with 40 + 8 bytes of headers still less than 1,500
FIRST_PORT = 30000
ORDERS = {
    "forward": (0, 1, 2),
    "backward": (2, 1, 0),
    "middle": (1, 0, 2),
    "twice": (0, 0, 1, 1, 2, 2),
}


def checksum(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF or 0xFFFF


def datagram(source, target, source_port, port, payload):
    length = 8 + len(payload)
    header = struct.pack("!HHHH", source_port, port, length, 0)
    pseudo = source.packed + target.packed + struct.pack("!LL", length, socket.IPPROTO_UDP)
    return header[:6] + struct.pack("!H", checksum(pseudo + header + payload)) + payload


def fragment_ipv4(source, target, number, offset, part, more):
    # The kernel fills in the checksum.
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(part), number, more << 13 | offset // 8, 64,
                       socket.IPPROTO_UDP, 0, source.packed, target.packed) + part


def fragment_ipv6(source, target, number, offset, part, more):
    return struct.pack("!LHBB16s16sBBHL", 6 << 28, 8 + len(part), socket.IPPROTO_FRAGMENT, 64,
                       source.packed, target.packed, socket.IPPROTO_UDP, 0, offset | more,
                       number) + part


def fragments(source, target, number, data):
    make = fragment_ipv4 if target.version == 4 else fragment_ipv6
    for offset in range(0, len(data), PART_BYTES):
        part = data[offset:offset + PART_BYTES]
        yield make(source, target, number, offset, part, offset + len(part) < len(data))


def raw_socket(family):
    if family == socket.AF_INET:
        return socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw = socket.socket(family, socket.SOCK_RAW, socket.IPPROTO_RAW)
    raw.setsockopt(socket.IPPROTO_IPV6, 36, 1)  # IPV6_HDRINCL
    return raw


def server_of(answer, question):
    """0: not an answer."""
    server = answer[0] ^ question[0]
    same = len(answer) == len(question) and all(a ^ q == server for a, q in zip(answer, question))
    return server if same else 0


def ask(udp, question, send):
    send()
    try:
        return server_of(udp.recv(65536), question)
    except TimeoutError:
        return None


def main():
    target = ipaddress.ip_address(sys.argv[1])
    port, order = int(sys.argv[2]), sys.argv[3]
    source_count, port_count = int(sys.argv[4]), int(sys.argv[5])
    family = socket.AF_INET if target.version == 4 else socket.AF_INET6
    first = ipaddress.ip_address("10.0.0.10" if target.version == 4 else "fd00::10")
    raw = raw_socket(family)
    payload = random.Random(1).randbytes(PAYLOAD_BYTES)
    tally = {"ok": 0, "timeouts": 0, "wrong": 0}
    cpus = os.sched_getaffinity(0)

    for number in range(source_count * port_count):
        source = first + number // port_count
        source_port = FIRST_PORT + number % port_count
        udp = socket.socket(family, socket.SOCK_DGRAM)
        udp.settimeout(1)
        udp.bind((str(source), source_port))
        udp.connect((str(target), port))
        parts = list(fragments(source, target, 1 + number,
                               datagram(source, target, source_port, port, payload)))

        def send():
            for i, index in enumerate(ORDERS[order]):
                # veth delivers on the CPU that sends, so the balancer meets each on another.
                os.sched_setaffinity(0, {sorted(cpus)[i % len(cpus)]})
                raw.sendto(parts[index], (str(target), 0))

        server = ask(udp, payload, send)
        if server is None:
            tally["timeouts"] += 1
            if tally["timeouts"] > 3:
                break
        elif server == 0:
            tally["wrong"] += 1
        else:
            tally["ok"] += 1
            tally[f"node{server}"] = tally.get(f"node{server}", 0) + 1
            if order == "forward" and ask(udp, payload[:100],
                                          lambda: udp.send(payload[:100])) != server:
                tally["wrong"] += 1
        udp.close()
    for key, count in tally.items():
        print(key, count)


main()
