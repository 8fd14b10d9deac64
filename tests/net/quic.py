#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""quic.py ADDRESS PORT SOURCES FIRST-PORT PORTS long|short CONFIG SERVER-ID
quic.py ADDRESS PORT SOURCES FIRST-PORT PORTS migrate SERVER-ID...

UDP datagrams with QUIC headers (RFC 8999) from each of SOURCES own addresses, which count up from .10
or ::10, and from PORTS ports of each, FIRST-PORT and up. The server (server.c) answers with every
byte XOR its id, and
what became of the flows is said in the words of short_flows.c.

First form: each flow is some datagrams whose connection ids hold that server id, in hexadecimal, behind
CONFIG, 0 to 7; nonces differ. "wrong" is a flow that two servers answered.

Second form: each flow is a client that begins with a connection id of its own, and from then on uses
those that the server that answered would have given it: the I-th of the SERVER-IDs is server I's. It
changes its port, then its address. "wrong" is one that another server answered."""
import ipaddress
import random
import socket
import sys

DATAGRAMS = 4  # of each flow
NONCE_BYTES = 4
VERSION = bytes((0, 0, 0, 1))
INITIAL_BYTES = 1200  # RFC 9000, 14.1

chance = random.Random(1)


def connection_id(config, server_id):
    return bytes((config << 5 | chance.randrange(32),)) + server_id + chance.randbytes(NONCE_BYTES)


def long_header(target_id):
    own = chance.randbytes(8)
    head = b"\xc0" + VERSION + bytes((len(target_id),)) + target_id + bytes((len(own),)) + own
    return head + chance.randbytes(INITIAL_BYTES - len(head))


def short_header(target_id):
    return bytes((0x40 | chance.randrange(64),)) + target_id + chance.randbytes(40)


HEADERS = {"long": long_header, "short": short_header}


class Client:
    """Its addresses and ports."""

    def __init__(self, address, port, sources, first_port, ports):
        self.target = (address, port)
        version = ipaddress.ip_address(address).version
        self.family = socket.AF_INET if version == 4 else socket.AF_INET6
        first = ipaddress.ip_address("10.0.0.10" if version == 4 else "fd00::10")
        self.sources = [str(first + i) for i in range(sources)]
        self.ports = range(first_port, first_port + ports)

    def open(self, source, port):
        udp = socket.socket(self.family, socket.SOCK_DGRAM)
        udp.settimeout(1)
        udp.bind((source, port))
        udp.connect(self.target)
        return udp


def ask(udp, question):
    """The server that answered. Raises TimeoutError, or ValueError if that is no answer."""
    answer = udp.recv(65536) if udp.send(question) else b""
    server = answer[0] ^ question[0]
    if len(answer) != len(question) or any(a ^ q != server for a, q in zip(answer, question)):
        raise ValueError
    return server


def named(client, source, port, make, config, server_id):
    """One server must answer all datagrams."""
    with client.open(source, port) as udp:
        servers = {ask(udp, make(connection_id(config, server_id))) for _ in range(DATAGRAMS)}
    if len(servers) != 1:
        raise ValueError
    return servers.pop()


def migrating(client, source, port, server_ids):
    other = client.sources[(client.sources.index(source) + 1) % len(client.sources)]
    with client.open(source, port) as udp:
        server = ask(udp, long_header(chance.randbytes(8)))
        servers = {ask(udp, short_header(connection_id(0, server_ids[server - 1])))}
    for place in ((source, port + 1000), (other, port + 1000), (other, port + 2000)):
        with client.open(*place) as udp:
            servers.add(ask(udp, short_header(connection_id(0, server_ids[server - 1]))))
    if servers != {server}:
        raise ValueError
    return server


def main():
    client = Client(sys.argv[1], *map(int, sys.argv[2:6]))
    what, words = sys.argv[6], sys.argv[7:]
    if what == "migrate":
        flow, arguments = migrating, ([bytes.fromhex(word) for word in words],)
    else:
        flow, arguments = named, (HEADERS[what], int(words[0]), bytes.fromhex(words[1]))
    tally = {"ok": 0, "timeouts": 0, "wrong": 0}

    for source in client.sources:
        for source_port in client.ports:
            try:
                server = flow(client, source, source_port, *arguments)
            except TimeoutError:
                tally["timeouts"] += 1
            except ValueError:
                tally["wrong"] += 1
            else:
                tally["ok"] += 1
                tally[f"node{server}"] = tally.get(f"node{server}", 0) + 1
            if tally["timeouts"] > 3:
                break
    for key, count in tally.items():
        print(key, count)


main()
