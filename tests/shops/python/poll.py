"""A shop that asks for a lock in Redis again and again until it is free, and gives it back after it has committed, or
before (MODE)."""
import os
import time

import psycopg2
from flask import Flask, request

from commands import Commands

app = Flask(__name__)
mode = os.environ["MODE"]


@app.get("/")
def index():
    return "open"


@app.post("/buy")
def buy():
    buyer = request.args["buyer"]
    redis = Commands(os.environ["REDIS_URL"])
    connection = psycopg2.connect(os.environ["DATABASE_URL"])
    try:
        while redis.say("SET", "busy", buyer, "NX", "PX", "60000") is None:
            time.sleep(0.01)
        cursor = connection.cursor()
        cursor.execute("SELECT stock FROM product WHERE id = 1")
        (stock,) = cursor.fetchone()
        if stock < 1:
            redis.say("DEL", "busy")
            return "sold out", 409
        cursor.execute("UPDATE product SET stock = %s WHERE id = 1", (stock - 1,))
        cursor.execute("INSERT INTO purchase (buyer, product) VALUES (%s, 1)", (int(buyer),))
        if mode == "early":
            redis.say("DEL", "busy")
            connection.commit()
        else:
            connection.commit()
            redis.say("DEL", "busy")
        return "bought"
    finally:
        connection.close()
        redis.close()


app.run(port=int(os.environ["PORT"]), threaded=True)
