#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""receive_reports.py KEY-FILE|- ADDRESS PORT|PATH: print every report that comes, a line each.

Opens envelopes by their description in user/core/envelope.h, and adds sender, sequence and what
the datagram's time was off by as "envelope". With "-" for the key, texts come as they are.
"""
import hashlib
import hmac
import json
import socket
import struct
import sys
import time

key_file, *where = sys.argv[1:]
if len(where) == 2:
    family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
    receiver = socket.socket(family, socket.SOCK_DGRAM)
    receiver.bind((where[0], int(where[1])))
else:
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.bind(where[0])
key = None
if key_file != "-":
    with open(key_file, "rb") as file:
        key = file.read().rstrip(b"\r\n")
print("ready", flush=True)

while True:
    datagram = receiver.recv(65536)
    if key is None:
        print(json.dumps(json.loads(datagram)), flush=True)
        continue
    magic, sender, sequence, sent_ms = struct.unpack(">8sQQq", datagram[:32])
    proof = hmac.new(key, datagram[:32] + datagram[64:], hashlib.sha256).digest()
    if magic != b"SLR1\0\0\0\0" or proof != datagram[32:64]:
        print("forged", flush=True)
        continue
    report = json.loads(datagram[64:])
    report["envelope"] = {
        "sender": str(sender),
        "sequence": sequence,
        "off_ms": sent_ms - int(time.time() * 1000),
    }
    print(json.dumps(report), flush=True)
