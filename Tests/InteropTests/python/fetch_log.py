"""Fetches files of a log over HTTP with Python's own client: fetch_log.py URL DIRECTORY NAME..."""
import pathlib
import sys
import urllib.request

url, directory, *names = sys.argv[1:]
for name in names:
    file = pathlib.Path(directory, name)
    file.parent.mkdir(parents=True, exist_ok=True)
    with urllib.request.urlopen(f"{url}/{name}", timeout=20) as answer:
        file.write_bytes(answer.read())
