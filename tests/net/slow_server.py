#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""slow_server.py PORT DELAY-MS: an HTTP server that thinks before it answers."""
import http.server
import socket
import sys
import time


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        time.sleep(int(sys.argv[2]) / 1000)
        self.send_response(200)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    address_family = socket.AF_INET6  # which takes IPv4 as well


Server(("::", int(sys.argv[1])), Handler).serve_forever()
