"""Prints the embeddings of texts by a saved model, as sentence-transformers computes them.

Usage: sentence_transformers_loads.py FOLDER TEXTS, with TEXTS a JSON array. Needs torch and sentence-transformers.
"""
import json
import sys

import torch
from sentence_transformers import SentenceTransformer

folder, texts = sys.argv[1:]
model = SentenceTransformer(folder, device="cpu")
with torch.no_grad():
    print(json.dumps(model.encode(json.loads(texts), show_progress_bar=False).tolist()))
