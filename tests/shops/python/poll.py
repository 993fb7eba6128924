"""A shop that asks for a lock (LOCK) again and again until it is free, and gives it back after it has committed, or before
(MODE)."""
import os
import time
import uuid

import psycopg2
import psycopg2.errors
from flask import Flask, request

from commands import Commands

app = Flask(__name__)
mode = os.environ["MODE"]
kind = os.environ["LOCK"]


@app.get("/")
def index():
    return "open"


class Redis:
    """A key that is set if there is none, as in Redis's manual of SET."""

    def __init__(self, buyer):
        self.redis, self.token = Commands(os.environ["REDIS_URL"]), buyer

    def take(self):
        return self.redis.say("SET", "busy", self.token, "NX", "PX", "60000") is not None

    def give_back(self):
        self.redis.say("DEL", "busy")

    def close(self):
        self.redis.close()


class RedisScript(Redis):
    """Given back by a script that answers nothing, and looked at before each try."""

    def take(self):
        return self.redis.say("EXISTS", "busy") == "0" and Redis.take(self)

    def give_back(self):
        script = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end return false"
        self.redis.say("EVAL", script, "1", "busy", self.token)


class RedisToken(Redis):
    """With a token of its own for each try."""

    def take(self):
        self.token = str(uuid.uuid4())
        return Redis.take(self)


class Row:
    """A row that says who has the lock, changed in a transaction."""

    def __init__(self, buyer):
        self.buyer = int(buyer)
        self.connection = psycopg2.connect(os.environ["DATABASE_URL"])
        self.cursor = self.connection.cursor()

    def take(self):
        self.cursor.execute("UPDATE busy SET owner = %s WHERE owner IS NULL", (self.buyer,))
        is_taken = self.cursor.rowcount == 1
        self.connection.commit()
        return is_taken

    def give_back(self):
        self.cursor.execute("UPDATE busy SET owner = NULL")
        self.connection.commit()

    def close(self):
        self.connection.close()


class Looked(Row):
    """The row is looked at, and only changed if it is free."""

    def take(self):
        self.cursor.execute("SELECT owner FROM busy")
        (owner,) = self.cursor.fetchone()
        if owner is not None:
            self.connection.rollback()
            return False
        return Row.take(self)


class Nowait(Row):
    """A row lock that is not waited for."""

    def take(self):
        try:
            self.cursor.execute("SELECT owner FROM busy FOR UPDATE NOWAIT")
            return True
        except psycopg2.errors.LockNotAvailable:
            self.connection.rollback()
            return False

    def give_back(self):
        self.connection.commit()


class Advisory(Row):
    """A lock of the session."""

    def take(self):
        self.cursor.execute("SELECT pg_try_advisory_lock(7)")
        (is_taken,) = self.cursor.fetchone()
        self.connection.commit()
        return is_taken

    def give_back(self):
        self.cursor.execute("SELECT pg_advisory_unlock(7)")
        self.connection.commit()


class Inserted(Row):
    """A row that must be the only one."""

    def take(self):
        try:
            self.cursor.execute("INSERT INTO taken (id) VALUES (1)")
            self.connection.commit()
            return True
        except psycopg2.errors.UniqueViolation:
            self.connection.rollback()
            return False

    def give_back(self):
        self.cursor.execute("DELETE FROM taken")
        self.connection.commit()


LOCKS = {
    "set-nx": Redis,
    "set-nx-token": RedisToken,
    "script": RedisScript,
    "row": Row,
    "looked-at": Looked,
    "nowait": Nowait,
    "advisory": Advisory,
    "inserted": Inserted,
}


@app.post("/buy")
def buy():
    buyer = request.args["buyer"]
    lock = LOCKS[kind](buyer)
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        while not lock.take():
            time.sleep(0.01)
        cursor = connection.cursor()
        cursor.execute("SELECT stock FROM product WHERE id = 1")
        (stock,) = cursor.fetchone()
        if stock < 1:
            lock.give_back()
            return "sold out", 409
        cursor.execute("UPDATE product SET stock = %s WHERE id = 1", (stock - 1,))
        cursor.execute("INSERT INTO purchase (buyer, product) VALUES (%s, 1)", (int(buyer),))
        if mode == "early":
            lock.give_back()
            connection.commit()
        else:
            connection.commit()
            lock.give_back()
        return "bought"
    finally:
        connection.close()
        lock.close()


app.run(port=int(os.environ["PORT"]), threaded=True)
