"""One peer of tokenize.mjs: the tokenizers library in one thread. Reads the texts and the given tokenizer.json and prints seconds."""
import gzip
import json
import os
import sys
import time

os.environ["RAYON_NUM_THREADS"] = "1"
os.environ["TOKENIZERS_PARALLELISM"] = "false"
import tokenizers
from tokenizers import Tokenizer

with gzip.open(sys.argv[1], "rt", encoding="utf-8") as file:
    texts = json.load(file)
tokenizer = Tokenizer.from_file(sys.argv[2])
tokenizer.no_padding()
tokenizer.no_truncation()
print(json.dumps({"about": f"tokenizers {tokenizers.__version__} (Rust, from Python), one thread"}), flush=True)
for _ in sys.stdin:
    begun = time.perf_counter()
    encodings = tokenizer.encode_batch_fast(texts, add_special_tokens=True)
    seconds = time.perf_counter() - begun
    print(json.dumps({"seconds": seconds, "tokens": sum(len(encoding.ids) for encoding in encodings)}), flush=True)
