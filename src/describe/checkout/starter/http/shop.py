#!/usr/bin/env python3
"""A shop that sells the last unit twice, to be raced: python3 shop.py [port]

Put your own in its place. What it needs beside a checkout is a way to be reset, and two to be looked at.
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlparse

stock = 1
orders = []


class Shop(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept
    wbufsize = -1  # and an answer is one packet

    def answer(self, status, body):
        written = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(written)))
        self.end_headers()
        self.wfile.write(written)

    def do_GET(self):
        if self.path == "/stock":
            self.answer(200, stock)
        elif self.path == "/orders":
            self.answer(200, orders)
        else:
            self.answer(404, "no such page")

    def do_POST(self):
        global stock
        asked = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or "{}")
        url = urlparse(self.path)
        if url.path == "/reset":
            stock = int(parse_qs(url.query)["stock"][0])
            orders.clear()
            self.answer(200, "reset")
        elif url.path == "/checkout":
            seen = stock
            time.sleep(0.01)  # a look into the catalogue, a word with the payment provider
            if seen < asked["qty"]:
                self.answer(409, "sold out")
                return
            stock = seen - asked["qty"]
            orders.append([asked["buyer"], asked["qty"]])
            self.answer(201, {"order": len(orders)})
        else:
            self.answer(404, "no such page")

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    server = ThreadingHTTPServer(("127.0.0.1", port), Shop)
    print(f"the shop is open at http://localhost:{port}", flush=True)
    server.serve_forever()
