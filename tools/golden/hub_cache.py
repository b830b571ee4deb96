"""Writes packages/hub/golden/python-cache.json, the content of the cache of Python's huggingface_hub after a download, and
names.json, the model names that the library accepts.

Needs huggingface_hub 2.4.0. A small server in this file implements the parts of the Hub's API that the library calls; the commit
hash is written as COMMIT, so that the listing does not depend on it.
"""

import hashlib
import json
import os
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

OUT = Path(__file__).resolve().parents[2] / "packages/hub/golden"
COMMIT = "c0ffee" + "0" * 34
FILES = {
    "README.md": b"# A toy\n",
    "config.json": b'{"model_type":"toy"}',
    "model.safetensors": b"no weights, but bytes. " * 8,
    "tokenizer.json": b"{}",
}
PARTS = [
    "org", "O-r.g_9", "_", "__a__", "", ".", "..", "-a", "a-", ".a", "a.", "a--b", "a..b", "a.git", "a.git.b", "a b", "a\n",
    "café", "a@b", "a:b", "a\\b", "x" * 96, "x" * 97, "%2e", "a\0",
]  # fmt: skip


def git_id(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_large(path):
    return path.endswith(".safetensors")


def entry(path, content):
    if not is_large(path):
        return {"type": "file", "path": path, "size": len(content), "oid": git_id(content)}
    digest = hashlib.sha256(content).hexdigest()
    pointer = f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n".encode()
    lfs = {"oid": digest, "size": len(content), "pointerSize": len(pointer)}
    return {"type": "file", "path": path, "size": len(content), "oid": git_id(pointer), "lfs": lfs}


class Hub(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def answer(self, body, headers):
        self.send_response(200)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self):
        path = self.path.split("?")[0]
        as_json = {"Content-Type": "application/json"}
        if "/revision/" in path:
            self.answer(json.dumps({"_id": "x", "id": "org/toy", "sha": COMMIT, "siblings": []}).encode(), as_json)
        elif "/tree/" in path:
            self.answer(json.dumps([entry(*file) for file in FILES.items()]).encode(), as_json)
        elif path.split("/")[-1] not in FILES:
            self.send_error(404)
        else:
            name = path.split("/")[-1]
            content = FILES[name]
            digest = hashlib.sha256(content).hexdigest() if is_large(name) else git_id(content)
            self.answer(content, {"X-Repo-Commit": COMMIT, "ETag": f'"{digest}"'})

    do_HEAD = do_GET


def listing(root):
    """Every link in the model's folder with its target, and every file with its text."""
    found = {}
    for path in sorted(root.glob("models--*/**/*")):
        name = path.relative_to(root).as_posix().replace(COMMIT, "COMMIT")
        if path.is_symlink():
            found[name] = {"link": os.readlink(path)}
        elif path.is_file():
            found[name] = {"text": path.read_text().replace(COMMIT, "COMMIT")}
    return found


def is_name(name):
    from huggingface_hub.utils import HFValidationError, validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HF_ENDPOINT"] = f"http://127.0.0.1:{server.server_port}"
        os.environ["HF_HOME"] = folder
        import huggingface_hub

        huggingface_hub.snapshot_download("org/toy", cache_dir=folder)
        cache = listing(Path(folder))
    files = {path: content.decode() for path, content in FILES.items()}
    golden = {"source": f"huggingface_hub {huggingface_hub.__version__}", "files": files, "cache": cache}
    OUT.mkdir(exist_ok=True)
    (OUT / "python-cache.json").write_text(json.dumps(golden, indent=1) + "\n")
    names = {f"{a}/{b}": is_name(f"{a}/{b}") for a in PARTS for b in PARTS}
    (OUT / "names.json").write_text(json.dumps({"source": golden["source"], "names": names}, indent=1) + "\n")


if __name__ == "__main__":
    main()
