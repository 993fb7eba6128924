"""A shop with a job queue that is polled all the time: by a thread of the shop, or by a process of its own (WORKER). Its
checkout looks and then writes, or writes under a condition (MODE)."""
import os
import subprocess
import sys
import threading
import time

import psycopg2
from flask import Flask, request

app = Flask(__name__)


def connect():
    return psycopg2.connect(os.environ["DATABASE_URL"])


def work():
    connection = connect()
    cursor = connection.cursor()
    while True:
        cursor.execute("SELECT id, buyer FROM job WHERE NOT done ORDER BY id LIMIT 1 FOR UPDATE")
        for job, buyer in cursor.fetchall():
            cursor.execute("SELECT product FROM purchase WHERE buyer = %s", (buyer,))
            cursor.execute("UPDATE job SET done = true WHERE id = %s", (job,))
        connection.commit()
        time.sleep(0.02)


@app.get("/")
def index():
    return "open"


@app.post("/buy")
def buy():
    buyer = int(request.args["buyer"])
    connection = connect()
    try:
        cursor = connection.cursor()
        if os.environ["MODE"] == "naive":
            cursor.execute("SELECT stock FROM product WHERE id = 1")
            if cursor.fetchone()[0] < 1:
                return "sold out", 409
            cursor.execute("UPDATE product SET stock = stock - 1 WHERE id = 1")
        else:
            cursor.execute("UPDATE product SET stock = stock - 1 WHERE id = 1 AND stock > 0")
            if cursor.rowcount == 0:
                return "sold out", 409
        cursor.execute("INSERT INTO purchase (buyer, product) VALUES (%s, 1)", (buyer,))
        cursor.execute("INSERT INTO job (buyer, done) VALUES (%s, false)", (buyer,))
        connection.commit()
        return "bought"
    finally:
        connection.close()


if sys.argv[1:] == ["work"]:
    work()
if os.environ["WORKER"] == "thread":
    threading.Thread(target=work, daemon=True).start()
else:
    subprocess.Popen([sys.executable, __file__, "work"])
app.run(port=int(os.environ["PORT"]), threaded=True)
