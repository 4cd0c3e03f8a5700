"""Send rows that nobody has seen to the running service: `python send.py`."""

import json
import sys

from load_test import send


def main(port=8000):
    with open("later.json") as file:
        rows = json.load(file)
    _, answers = send(int(port), rows, 0)
    print(f"{len(answers)} rows; the answer to the first is {answers[0]}")


if __name__ == "__main__":
    main(*sys.argv[1:])
