"""Trains gensim's Word2Vec on a file with one text per line, words separated by spaces. Called by compare.mjs.

Needs gensim 4.4:  python gensim_vectors.py TEXTS OUTPUT skip-gram|cbow SEED EPOCHS
"""
import sys

from gensim.models import Word2Vec

texts, output, algorithm, seed, epochs = sys.argv[1:]
sentences = [line.split(" ") for line in open(texts, encoding="utf-8").read().split("\n") if line]
model = Word2Vec(sentences, vector_size=100, window=5, min_count=5, sg=int(algorithm == "skip-gram"), negative=5,
                 sample=1e-3, alpha=0.025, min_alpha=1e-4, workers=1, seed=int(seed), epochs=int(epochs))  # fmt: skip
model.wv.save_word2vec_format(output)
