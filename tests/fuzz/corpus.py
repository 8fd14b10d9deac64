#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""corpus.py DIR: write the seeds of both targets to DIR/lb and DIR/node, a file a kind of packet.

The files are in the tree; this is how they were made. packets.h says what a file holds, lb_world.c
and node_world.c whom the addresses belong to.
"""
import os
import socket
import struct
import sys

CLIENT4, CLIENT6 = "203.0.113.7", "2001:db8:ff::7"
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58
FIN, SYN, RST, ACK = 1, 2, 4, 16
CPU, LATER, LONG_AFTER, CRAMPED, SPLIT, OTHER_HALF, FAR, POLICED = 1, 4, 6, 8, 16, 32, 64, 128
GUE_PORT = 19523


def ones_sum(data):
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def address(text):
    return socket.inet_pton(socket.AF_INET6 if ":" in text else socket.AF_INET, text)


def pseudo(source, destination, protocol, length):
    return address(source) + address(destination) + struct.pack("!II", length, protocol)


def sealed(message, at, source, destination, protocol):
    check = 0xFFFF ^ ones_sum(pseudo(source, destination, protocol, len(message)) + message)
    return message[:at] + struct.pack("!H", check or 0xFFFF) + message[at + 2:]


def ipv4(source, destination, protocol, payload, ttl=64, options=b"", fragment=0, tos=0, ident=1):
    header = struct.pack("!BBHHHBBH", 0x45 + len(options) // 4, tos,
                         20 + len(options) + len(payload), ident, fragment, ttl, protocol, 0)
    header += address(source) + address(destination) + options
    return header[:10] + struct.pack("!H", 0xFFFF ^ ones_sum(header)) + header[12:] + payload


def ipv6(source, destination, protocol, payload, ttl=64, tos=0):
    return struct.pack("!IHBB", 6 << 28 | tos << 20 | 0x12345, len(payload), protocol, ttl) + \
        address(source) + address(destination) + payload


def ip(source, destination, protocol, payload, **more):
    return (ipv6 if ":" in source else ipv4)(source, destination, protocol, payload, **more)


def tcp(source, destination, sport, dport, flags=ACK, options=b"", data=b"data"):
    header = struct.pack("!HHIIBBHHH", sport, dport, 1, 2, (20 + len(options)) // 4 << 4, flags,
                         1000, 0, 0)
    return sealed(header + options + data, 16, source, destination, TCP)


def udp(source, destination, sport, dport, data=b"data"):
    return sealed(struct.pack("!HHHH", sport, dport, 8 + len(data), 0) + data, 6, source,
                  destination, UDP)


def icmp(source, destination, kind, code=0, rest=b"\0\1\0\1", data=b""):
    message = struct.pack("!BBH", kind, code, 0) + rest + data
    if ":" in source:
        return ipv6(source, destination, ICMPV6, sealed(message, 2, source, destination, ICMPV6))
    check = struct.pack("!H", 0xFFFF ^ ones_sum(message))
    return ipv4(source, destination, ICMP, message[:2] + check + message[4:])


def frame(packet, tags=(), pad=0):
    link = bytes.fromhex("020000000001020000000002")
    for kind, vlan in tags:
        link += struct.pack("!HH", kind, vlan)
    kind = 0x86DD if packet[0] >> 4 == 6 else 0x0800
    return link + struct.pack("!H", kind) + packet + b"\0" * pad


def record(data, how=0, filled=0):
    return struct.pack("<BBH", how, filled, len(data)) + data


def flow(vip, protocol, dport, data=b"data", sport=40000, flags=ACK, options=b"", **more):
    client = CLIENT6 if ":" in vip else CLIENT4
    if protocol == TCP:
        message = tcp(client, vip, sport, dport, flags, options, data)
    else:
        message = udp(client, vip, sport, dport, data)
    return ip(client, vip, protocol, message, **more)


def extended(packet, chain):
    """@packet of IPv6 with extension headers: (kind, body without its first octet)."""
    kinds = [kind for kind, _ in chain] + [packet[6]]
    headers = b"".join(bytes([after]) + body for after, (_, body) in zip(kinds[1:], chain))
    length = len(packet) - 40 + len(headers)
    return packet[:4] + struct.pack("!HB", length, kinds[0]) + packet[7:40] + headers + packet[40:]


QUIC_SHORT4 = b"\x40\x00" + b"\xb1" * 4 + b"\x99" * 24
QUIC_LONG4 = b"\xc0\0\0\0\1\x09\x00" + b"\xb2" * 4 + b"\x99" * 24
QUIC_SHORT6 = b"\x40\x00" + b"\xb1" * 15 + b"\x99" * 24
MSS = b"\2\4\x05\xb4"
ODD_MSS = b"\1\2\4\x05\xb4\1\1\1"
TAG, OUTER_TAG = (0x8100, 100), (0x88A8, 200)


def family_seeds(seeds, name, vip):
    """What both families have alike; @vip is one but its last digit."""
    client = CLIENT6 if ":" in vip else CLIENT4
    tunnel = 0 if ":" not in vip else 20
    seeds.update({
        f"tcp_syn_dsr_mss_{name}": [flow(vip + "1", TCP, 80, b"", flags=SYN, options=MSS)],
        f"tcp_syn_odd_mss_{name}": [flow(vip + "1", TCP, 80, b"", flags=SYN, options=ODD_MSS)],
        f"tcp_ipip_{name}": [flow(vip + "1", TCP, 443)],
        f"tcp_gue_{name}": [flow(vip + "1", TCP, 8080)],
        f"tcp_any_port_{name}": [flow(vip + "2", TCP, 12345, flags=SYN, options=MSS)],
        f"udp_any_port_{name}": [flow(vip + "2", UDP, 12345)],
        f"udp_gue_{name}": [flow(vip + "3", UDP, 53)],
        f"udp_surplus_{name}": [ip(client, vip + "3", UDP,
                                   udp(client, vip + "3", 40000, 53) + b"surplus.")],
        f"other_port_{name}": [flow(vip + "1", TCP, 81)],
        f"other_address_{name}": [flow(vip + "9", TCP, 80)],
        f"ttl_1_{name}": [flow(vip + "1", TCP, 80, ttl=1)],
        f"congestion_{name}": [flow(vip + "1", TCP, 443, tos=3)],
        f"echo_{name}": [icmp(client, vip + "1", 128 if tunnel else 8, data=b"ping")],
        f"echo_odd_{name}": [icmp(client, vip + "2", 128 if tunnel else 8, data=b"pings")],
        f"echo_long_{name}": [icmp(client, vip + "1", 128 if tunnel else 8, data=b"ab" * 600)],
        f"tcp_life_{name}": [flow(vip + "1", TCP, 80, flags=flags)
                             for flags in (SYN, ACK, ACK, FIN | ACK, ACK, SYN)],
    })


def lb_seeds():
    seeds = {}
    family_seeds(seeds, "ipv4", "192.0.2.")
    family_seeds(seeds, "ipv6", "2001:db8::")
    more = b"\x05" * 1300
    big = b"\x06" * 60
    quoted4 = ipv4("192.0.2.1", CLIENT4, TCP, tcp("192.0.2.1", CLIENT4, 8080, 40000)[:8])
    optioned4 = ipv4("192.0.2.1", CLIENT4, TCP, tcp("192.0.2.1", CLIENT4, 443, 40000),
                     options=b"\1" * 4)
    quoted6 = ipv6("2001:db8::1", CLIENT6, TCP, tcp("2001:db8::1", CLIENT6, 8080, 40000))
    whole4 = udp(CLIENT4, "192.0.2.1", 40000, 443, b"x" * 64)
    whole6 = udp(CLIENT6, "2001:db8::3", 40000, 53, b"x" * 64)
    frag6 = [extended(ipv6(CLIENT6, "2001:db8::3", UDP, part),
                      [(44, b"\0" + struct.pack("!HI", offset, 77))])
             for part, offset in ((whole6[:40], 1), (whole6[40:], 40))]
    frag4 = [ipv4(CLIENT4, "192.0.2.1", UDP, part, fragment=bits)
             for part, bits in ((whole4[:40], 0x2000), (whole4[40:], 5))]
    seeds.update({
        "quic_short_ipv4": [flow("192.0.2.1", UDP, 443, QUIC_SHORT4)],
        "quic_long_ipv4": [flow("192.0.2.1", UDP, 443, QUIC_LONG4)],
        "quic_short_ipv6": [flow("2001:db8::1", UDP, 443, QUIC_SHORT6)],
        "too_big_ipv4": [flow("192.0.2.3", TCP, 80, big)],
        "too_big_long_ipv4": [flow("192.0.2.3", TCP, 80, more)],
        "too_big_gue_ipv4": [flow("192.0.2.3", UDP, 53, big + big)],
        "too_big_ipv6": [flow("2001:db8::3", TCP, 80, more)],
        "too_big_gue_ipv6": [flow("2001:db8::3", UDP, 53, more)],
        "options_ipv4": [ipv4(CLIENT4, "192.0.2.1", TCP, tcp(CLIENT4, "192.0.2.1", 40000, 8080),
                              options=b"\x94\x04\0\0")],
        "options_gue_in_ipv6": [ipv4(CLIENT4, "192.0.2.3", UDP,
                                     udp(CLIENT4, "192.0.2.3", 40000, 53), options=b"\1" * 8)],
        "extensions_ipv6": [extended(flow("2001:db8::1", TCP, 8080),
                                     [(0, b"\0" + b"\1\4" + b"\0" * 4), (60, b"\0" * 7)])],
        "routing_ipv6": [extended(flow("2001:db8::1", TCP, 443), [(43, b"\0" * 7)])],
        "fragments_ipv4": frag4,
        "fragments_turned_ipv4": frag4[::-1],
        "fragments_ipv6": frag6,
        "fragments_turned_ipv6": frag6[::-1],
        "error_unreachable_ipv4": [flow("192.0.2.1", TCP, 8080),
                                   icmp(CLIENT4, "192.0.2.1", 3, 4, b"\0\0\5\0", quoted4)],
        "error_quotes_options_ipv4": [icmp(CLIENT4, "192.0.2.1", 11, data=optioned4)],
        "tunnel_too_big_ipv4": [icmp("10.0.9.9", "10.2.0.1", 3, 4, b"\0\0\2\0", ipv4(
            "10.2.0.1", "10.0.1.8", 4, flow("192.0.2.1", TCP, 443, b"z" * 700)))],
        "tunnel_too_big_gue_ipv6": [icmp("fd00::9", "fd00::2", 2, 0, b"\0\0\5\x14", ipv6(
            "fd00::2", "fd00::3", UDP, udp("fd00::2", "fd00::3", 50000, GUE_PORT,
                                           b"\1\x29" + b"\0" * 6 +
                                           flow("2001:db8::3", UDP, 53, b"z" * 900))))],
        "error_too_big_ipv6": [icmp(CLIENT6, "2001:db8::1", 2, 0, b"\0\0\5\0", quoted6)],
    })
    files = {name: b"".join(record(frame(packet)) for packet in packets)
             for name, packets in seeds.items()}
    plain = frame(flow("192.0.2.1", TCP, 443))
    full = [frame(flow("192.0.2.1", TCP, 80, b"", sport=40000 + i)) for i in range(18)]
    files.update({
        "full_set": b"".join(record(packet) * 2 for packet in full),
        "full_set_aged": b"".join(record(packet) for packet in full[:16]) +
        b"".join(record(packet, LATER) * 2 for packet in full),
        "echo_limit": record(frame(icmp(CLIENT4, "192.0.2.1", 8))) * 6,
        "no_next_hop": b"".join(record(frame(flow("192.0.2.2", UDP, 9, sport=40000 + i)))
                                for i in range(12)),
        "tag": record(frame(flow("192.0.2.1", TCP, 8080), (TAG,))),
        "two_tags": record(frame(flow("2001:db8::1", TCP, 8080), (OUTER_TAG, TAG))),
        "tag_echo": record(frame(icmp(CLIENT4, "192.0.2.1", 8, data=b"ping"), (TAG,))),
        "two_tags_too_big": record(frame(flow("192.0.2.3", TCP, 80, big), (OUTER_TAG, TAG))),
        "three_tags": record(frame(flow("192.0.2.1", TCP, 80), (TAG, TAG, TAG))),
        "arp": record(bytes.fromhex("ffffffffffff0200000000020806") + b"\0" * 46),
        "padded": record(frame(flow("192.0.2.1", TCP, 443, b""), pad=6)),
        "padded_gue": record(frame(flow("192.0.2.3", UDP, 53, b"x"), pad=17)),
        "no_headroom": record(plain, CRAMPED),
        "other_device": record(plain, FAR),
        "other_half": record(plain) + record(plain, OTHER_HALF),
        "moves_to_other_cpu": record(plain) + record(plain, CPU) + record(plain, CPU | LATER),
        "udp_idle": record(frame(flow("192.0.2.2", UDP, 9))) +
        record(frame(flow("192.0.2.2", UDP, 9)), LATER) +
        record(frame(flow("192.0.2.2", UDP, 9)), LONG_AFTER),
        "split_ipip": record(frame(flow("192.0.2.1", TCP, 443, more)), SPLIT),
        "split_echo": record(frame(icmp(CLIENT4, "192.0.2.1", 8, data=more)), SPLIT),
        "split_too_big": record(frame(flow("192.0.2.3", TCP, 80, more)), SPLIT),
    })
    return files


def policy_seeds():
    """Sources by what the rules say of them: see lb_world.h. Twelve flows are more than may open."""
    sources = {"limited": ("203.0.113.7", "2001:db8:ff::7"),
               "denied": ("203.0.113.130", "2001:db8:ff:8000::7"),
               "allowed": ("203.0.113.200", "2001:db8:ff:c000::7"),
               "clean": ("198.51.100.7", "2001:db8:fe::7")}
    files = {}
    for word, pair in sources.items():
        for source, vip, other in zip(pair, ("192.0.2.1", "2001:db8::1"),
                                      ("192.0.2.77", "2001:db8::77")):
            family = "ipv6" if ":" in vip else "ipv4"
            for how, half in ((POLICED, ""), (POLICED | OTHER_HALF, "_other_half")):
                flows = b"".join(
                    record(frame(ip(source, vip, TCP, tcp(source, vip, port, 443, flags))), how)
                    for port in range(12) for flags in (SYN, ACK))
                files[f"policy_{word}_{family}{half}"] = flows
            files[f"policy_{word}_others_{family}"] = \
                record(frame(ip(source, other, TCP, tcp(source, other, 40000, 22))), POLICED) + \
                record(frame(ip(source, other, 132, b"sctp" * 9), (OUTER_TAG, TAG)), POLICED)
    files["policy_port"] = b"".join(
        record(frame(flow("192.0.2.2", UDP, port)), POLICED) for port in (7, 8))
    return files


NODE4, NODE6, VIP4, VIP6 = "10.0.0.1", "fd00::1", "192.0.2.1", "2001:db8::1"
BALANCER4, BALANCER6 = "10.0.2.9", "fd00::99"


def outer(packet, protocol, v6=False, **more):
    source, node = (BALANCER6, NODE6) if v6 else (BALANCER4, NODE4)
    return ip(source, node, protocol, packet, **more)


def inside(packet):
    return 41 if packet[0] >> 4 == 6 else 4


def ipip(packet, v6=False, **more):
    return outer(packet, inside(packet), v6, **more)


def gue(packet, hops, v6=False, next_hop=0, **more):
    source, node = (BALANCER6, NODE6) if v6 else (BALANCER4, NODE4)
    listed = b"".join(address(hop) for hop in hops)
    header = struct.pack("!BBHHBB", 1 + len(listed) // 4, inside(packet), 0, 0, next_hop, len(hops))
    datagram = udp(source, node, 50000, GUE_PORT, header + listed + packet)
    return outer(datagram, UDP, v6, **more)


def node_seeds():
    """The last two bits of a client's port say who has it here: 3 a connection, 2 a listener, else nobody."""
    seeds, files = {}, {}
    hops = {False: ["10.0.0.4", "10.0.0.5", "10.0.0.6", "10.0.0.7"],
            True: ["fd00::4", "fd00::5", "fd00::6", "fd00::7"]}
    for v6, name in ((False, "ipv4"), (True, "ipv6")):
        for vip, what in ((VIP4, "4"), (VIP6, "6")):
            strange = flow(vip, TCP, 80, sport=0xC000)
            known = flow(vip, TCP, 80, sport=0xC003)
            seeds[f"ipip_{what}_in_{name}"] = ipip(strange, v6)
            seeds[f"ipip_congestion_{what}_in_{name}"] = \
                ipip(flow(vip, TCP, 80, tos=1), v6, tos=3)
            seeds[f"gue_known_{what}_in_{name}"] = gue(known, hops[v6][:2], v6)
            seeds[f"gue_syn_{what}_in_{name}"] = \
                gue(flow(vip, TCP, 80, sport=0xC000, flags=SYN), hops[v6][:2], v6)
            for hop in range(4):
                seeds[f"gue_hop{hop}_{what}_in_{name}"] = \
                    gue(strange, [hops[v6][hop], hops[v6][1]], v6)
            seeds[f"gue_listener_{what}_in_{name}"] = \
                gue(flow(vip, TCP, 80, sport=0xC002), hops[v6][:2], v6)
            seeds[f"gue_no_hop_left_{what}_in_{name}"] = gue(strange, hops[v6][:2], v6, next_hop=2)
            client = CLIENT6 if ":" in vip else CLIENT4
            quoted = ip(vip, client, TCP, tcp(vip, client, 80, 0xC000))
            error = icmp(client, vip, 2 if ":" in vip else 3, 0, data=quoted)
            seeds[f"gue_error_{what}_in_{name}"] = gue(error, hops[v6][:2], v6)
        plain = b"\0\x04\0\0" + flow(VIP4, TCP, 80)
        source, node = (BALANCER6, NODE6) if v6 else (BALANCER4, NODE4)
        seeds[f"gue_plain_in_{name}"] = \
            outer(udp(source, node, 50000, GUE_PORT, plain), UDP, v6)
        seeds[f"udp_{name}"] = outer(udp(source, node, 50000, 53), UDP, v6)
    seeds["other_node"] = ipv4(BALANCER4, "10.0.0.77", 4, flow(VIP4, TCP, 80))
    for name, packet in seeds.items():
        files[name] = record(frame(packet))
    strange = flow(VIP4, TCP, 80, sport=0xC000)
    files.update({
        "tag_ipip": record(frame(ipip(strange), (TAG,))),
        "two_tags_gue": record(frame(gue(strange, hops[False][:2]), (OUTER_TAG, TAG))),
        "tag_gue_other_device": record(frame(gue(strange, hops[False][1:2]), (TAG,))),
        "padded": record(frame(ipip(strange), pad=20)),
        "split": record(frame(ipip(flow(VIP4, TCP, 80, b"y" * 900))), SPLIT),
    })
    return files


def main():
    for target, files in (("lb", lb_seeds() | policy_seeds()), ("node", node_seeds())):
        folder = os.path.join(sys.argv[1], target)
        os.makedirs(folder, exist_ok=True)
        for name, data in files.items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data)


main()
