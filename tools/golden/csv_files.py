"""Files written by Python's csv module and the rows that it reads back: random texts with many special characters.

Needs only Python (3.11). Writes plugins/source-csv/golden/python-csv.json. A carriage return occurs only before a newline:
Python 3.11 does not quote one that stands alone, and then reads it as the end of a row.
"""

import csv
import io
import json
import platform
import random
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PIECES = ['"', '""', ",", "\t", ";", "\n", "\r\n", " ", "a", "word", "é", "日本", "👩🏽‍🚀", "\u2028", "\\", "'", "0", "#"]
DIALECTS = [
    {"delimiter": ",", "lineterminator": "\r\n", "quoting": csv.QUOTE_MINIMAL},
    {"delimiter": ",", "lineterminator": "\n", "quoting": csv.QUOTE_ALL},
    {"delimiter": "\t", "lineterminator": "\n", "quoting": csv.QUOTE_MINIMAL},
    {"delimiter": ";", "lineterminator": "\r\n", "quoting": csv.QUOTE_NONNUMERIC},
    {"delimiter": "é", "lineterminator": "\n", "quoting": csv.QUOTE_MINIMAL},
]


def text(generator: random.Random) -> str:
    return "".join(generator.choice(PIECES) for _ in range(generator.randrange(8)))


def main() -> None:
    generator = random.Random(4180)
    files = []
    for dialect in DIALECTS:
        for columns in (1, 2, 5):
            header = [f"column {i}" for i in range(columns)]
            rows = [[text(generator) for _ in header] for _ in range(40)]
            buffer = io.StringIO(newline="")
            csv.writer(buffer, **dialect).writerows([header, *rows])
            content = buffer.getvalue()
            reader = csv.DictReader(io.StringIO(content, newline=""), delimiter=dialect["delimiter"], strict=True)
            read = [row for row in reader]
            assert [list(row.values()) for row in read] == rows
            files.append({"delimiter": dialect["delimiter"], "content": content, "rows": read})
    golden = {"source": f"Python {platform.python_version()}, csv", "files": files}
    (ROOT / "plugins/source-csv/golden/python-csv.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")


main()
