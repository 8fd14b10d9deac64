#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""http_node.py ID PORT...: an HTTP server, IPv4 and IPv6. GET /N answers N bytes, always the same;
PUT answers with the SHA-256 of what came. The header Node of an answer is ID."""
import hashlib
import http.server
import random
import socket
import sys
import threading


def content(byte_count):
    """The same for everybody who asks for as many."""
    return random.Random(1).randbytes(byte_count)


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6
    request_queue_size = 128

    def server_bind(self):
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)


class Handler(http.server.BaseHTTPRequestHandler):
    def answer(self, body):
        self.send_response(200)
        self.send_header("Node", sys.argv[1])
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.answer(content(int(self.path[1:])))

    def do_PUT(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(hashlib.sha256(body).hexdigest().encode())

    def log_message(self, *_):
        pass


def main():
    servers = [Server(("::", int(port)), Handler) for port in sys.argv[2:]]
    for server in servers:
        threading.Thread(target=server.serve_forever).start()
    print("ready", flush=True)


main()
