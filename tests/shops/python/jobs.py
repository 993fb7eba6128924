"""A shop with a job queue that is polled all the time: by a thread of the shop, by a process of its own, or by one process
after the other, each with words of its own (WORKER). Its checkout looks and then writes, or writes under a condition (MODE)."""
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


def look():
    cursor = connect().cursor()
    for number in range(20):
        cursor.execute(f"SELECT count(*) AS run_{os.getpid()}_{number} FROM job WHERE NOT done")


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
if sys.argv[1:] == ["look"]:
    look()
    sys.exit()
if os.environ["WORKER"] == "thread":
    threading.Thread(target=work, daemon=True).start()
elif os.environ["WORKER"] == "process":
    subprocess.Popen([sys.executable, __file__, "work"])
else:
    subprocess.Popen(["sh", "-c", f"while sleep 0.1; do {sys.executable} {__file__} look; done"])
app.run(port=int(os.environ["PORT"]), threaded=True)
