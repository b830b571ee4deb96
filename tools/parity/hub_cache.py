"""Downloads a model into a cache with Python's huggingface_hub and prints its folder on the last line: `python hub_cache.py NAME
[commit]`. Environment variables set the Hub endpoint, the cache, and offline mode.
"""

import sys

from huggingface_hub import hf_hub_download, scan_cache_dir, snapshot_download

NEEDED = ["*.json", "*.safetensors", "README.md"]

name, revision = sys.argv[1], (sys.argv[2:] or [None])[0]
folder = snapshot_download(name, revision=revision, allow_patterns=NEEDED)
assert hf_hub_download(name, "config.json", revision=revision).startswith(folder)
warnings = scan_cache_dir().warnings
assert not warnings, warnings
print(folder)
