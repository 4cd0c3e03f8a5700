"""Requests per second on loopback, teacher and student: `python load_test.py`.

Each service is one process of uvicorn. One client sends the rows of `later.json` one
after the other over one connection, which it keeps open.
"""

import contextlib
import http.client
import json
import os
import socket
import subprocess
import sys
import time

SECONDS = 5.0


@contextlib.contextmanager
def started(model):
    """Start the service with one of the two models, and yield its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "uvicorn", "service:app", "--port", str(port)]
    command += ["--log-level", "error", "--no-access-log"]
    server = subprocess.Popen(command, env={**os.environ, "MODEL": model})
    try:
        wait_for(port, server)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def wait_for(port, server, seconds=60):
    """Return as soon as something listens on a port."""
    for _ in range(10 * seconds):
        if server.poll() is not None:
            raise RuntimeError("The service has ended.")
        with (
            contextlib.suppress(OSError),
            socket.create_connection(("127.0.0.1", port)),
        ):
            return
        time.sleep(0.1)
    raise TimeoutError(f"Nothing listens on port {port}.")


def send(port, rows, seconds):
    """Return the time of each request, in seconds, and all answers to the rows."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    bodies, headers = (
        [json.dumps(row) for row in rows],
        {"Content-Type": "application/json"},
    )
    times, answers, end = [], {}, time.perf_counter() + seconds
    while time.perf_counter() < end or len(answers) < len(rows):
        place = len(times) % len(rows)
        start = time.perf_counter()
        connection.request("POST", "/predict", bodies[place], headers)
        answers[place] = json.loads(connection.getresponse().read())
        times.append(time.perf_counter() - start)
    connection.close()
    return times, [answers[place] for place in range(len(rows))]


def main(seconds=SECONDS):
    with open("later.json") as file:
        rows = json.load(file)
    rates, labels = {}, {}
    for model in ("teacher", "student"):
        with started(model) as port:
            times, answers = send(port, rows, float(seconds))
        labels[model] = [max(answer, key=answer.get) for answer in answers]
        rates[model], times = len(times) / sum(times), sorted(times)
        median, high = (1000 * times[int(share * len(times))] for share in (0.5, 0.99))
        print(f"{model}: {rates[model]:,.0f} requests/s, ", end="")
        print(f"median {median:.2f} ms, 99 % within {high:.2f} ms")
    same = sum(map(str.__eq__, labels["teacher"], labels["student"]))
    print(f"{rates['student'] / rates['teacher']:.1f} times as many requests")
    print(f"same label for {same} of {len(rows)} new rows")


if __name__ == "__main__":
    main(*sys.argv[1:])
