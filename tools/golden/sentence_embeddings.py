"""Sentence embeddings of all-MiniLM-L6-v2 (from tools/real-model/fetch.mjs), computed with sentence-transformers.

Needs torch, transformers and sentence-transformers. Writes tools/real-model/golden/sentence-embeddings.json.
"""
import json
from pathlib import Path

import sentence_transformers
from sentence_transformers import SentenceTransformer

FOLDER = Path(__file__).resolve().parents[1] / "real-model"
SENTENCES = [
    "A library that reads and writes images in many formats.",
    "The quick brown fox jumps over the lazy dog.",
    "Der schnelle braune Fuchs springt über den faulen Hund.",
    "short",
    "",
    "日本語のテキストと English mixed together, with punctuation!?",
    "👩‍👩‍👧 emoji, ﬁ ligatures, ½ and naïve café",
    "This package contains the development files and documentation for the library, which implements a fast and portable "
    "parser for a small configuration language; it is used by several programs. " * 4,
    "print('hello', file=sys.stderr)  # code",
    "مرحبا بالعالم",
]
model = SentenceTransformer(str(FOLDER / "model"), device="cpu").double()
embeddings = model.encode(SENTENCES, batch_size=4)
golden = {
    "source": f"sentence-transformers {sentence_transformers.__version__}, float64",
    "maximumLength": model.max_seq_length,
    "sentences": SENTENCES,
    "embeddings": [[round(float(x), 8) for x in row] for row in embeddings],
}
(FOLDER / "golden").mkdir(exist_ok=True)
(FOLDER / "golden/sentence-embeddings.json").write_text(json.dumps(golden, ensure_ascii=False))
print(len(embeddings), "embeddings, at most", model.max_seq_length, "tokens")
