"""As much of a Redis client as takes no package."""
import socket
from urllib.parse import urlparse


class Commands:
    def __init__(self, url):
        where = urlparse(url)
        self.socket = socket.create_connection((where.hostname, where.port or 6379))
        self.file = self.socket.makefile("rb")
        if where.password:
            self.say(*filter(None, ["AUTH", where.username, where.password]))

    def say(self, *words):
        parts = [b"*%d\r\n" % len(words)]
        for word in words:
            data = word.encode()
            parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
        self.socket.sendall(b"".join(parts))
        line = self.file.readline().rstrip()
        kind, rest = line[:1], line[1:]
        if kind == b"-":
            raise RuntimeError(rest.decode())
        if kind != b"$":
            return rest.decode()
        return None if rest == b"-1" else self.file.read(int(rest) + 2)[:-2].decode()

    def close(self):
        self.file.close()
        self.socket.close()
