"""Downloads a model into a cache by Python's huggingface_hub, as `python hub_cache.py NAME [commit]`, and prints its folder
as the last line. The environment says which Hub and which cache, and whether it may be asked at all.
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
