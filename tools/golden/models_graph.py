"""
Golden values of tiny random graph networks on the words and phrases of a text, computed with PyTorch Geometric layers on edge lists that
are collected token by token: see model_parity.py. Also phrases of some texts by their counts, computed with scikit-learn. Needs torch,
transformers, safetensors, scikit-learn (1.9) and torch_geometric (2.8).
"""
import json
from types import SimpleNamespace

import numpy
import sklearn

import torch
import torch_geometric
from model_parity import ROOT, Classification, write_case
from sklearn.feature_extraction.text import CountVectorizer
from torch import nn
from torch_geometric.nn import GATConv, GCNConv
from written_model import Config, WrittenForClassification


class Readout(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.gate, self.content = nn.Linear(width, width), nn.Linear(width, width)

    def forward(self, h):
        gated = self.gate(h).sigmoid() * self.content(h).tanh()
        return gated.mean(0) + gated.amax(0)


class Embeddings(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.word_embeddings = nn.Embedding(config.vocab_size, config.embedding_size)
        if hasattr(config, "phrases"):
            self.phrase_embeddings = nn.Embedding(len(config.phrases), config.embedding_size)


class Graph(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.window, self.attends, self.heads = config.window, config.layer == "gat", config.num_attention_heads
        self.phrases = [tuple(phrase) for phrase in getattr(config, "phrases", [])]
        self.embeddings = Embeddings(config)
        widths = [config.embedding_size] + [config.hidden_size] * config.num_hidden_layers
        gat = lambda a, b: GATConv(a, b // config.num_attention_heads, heads=config.num_attention_heads)
        self.layers = nn.ModuleList((gat if self.attends else GCNConv)(a, b) for a, b in zip(widths, widths[1:]))
        self.readout = Readout(config.hidden_size)

    def spans(self, text):
        """The nodes of a text, words and phrases, with the first and last token of each occurrence."""
        found = [((token,), place, place) for place, token in enumerate(text)]
        pairs = [((a, b), place, place + 1) for place, (a, b) in enumerate(zip(text, text[1:]))]
        return found + [(pair, start, end) for pair, start, end in pairs if pair in self.phrases]

    def edges(self, spans, nodes):
        """Edges in both directions, without self-loops, which the layers add."""
        found = set()
        for a, start, end in spans:
            for b, other_start, other_end in spans:
                between = max(0, start - other_end, other_start - end)
                if a != b and between < self.window:
                    found |= {(nodes.index(a), nodes.index(b)), (nodes.index(b), nodes.index(a))}
        return torch.tensor(sorted(found), dtype=torch.long).reshape(-1, 2).T

    def embedded(self, nodes):
        words, phrases = self.embeddings.word_embeddings, getattr(self.embeddings, "phrase_embeddings", None)
        one = lambda node: words.weight[node[0]] if len(node) == 1 else phrases.weight[self.phrases.index(node)]
        return torch.stack([one(node) for node in nodes])

    def text(self, ids):
        """
        Hidden states of the words and, if all nodes are words, their attention weights, each at the positions of `ids`, a text without
        padding; and the pooled output.
        """
        tokens = ids.tolist()
        spans = self.spans(tokens)
        nodes = sorted({node for node, _, _ in spans})
        edges, at = self.edges(spans, nodes), [nodes.index((token,)) for token in tokens]
        first = [tokens.index(node[0]) for node in nodes if len(node) == 1]
        h = self.embedded(nodes)
        states, attentions = [h[at]], []
        for layer in self.layers:
            if self.attends and not self.phrases:
                h, (linked, weights) = layer(h, edges, return_attention_weights=True)
                dense = torch.zeros(self.heads, len(nodes), len(nodes), dtype=h.dtype)
                dense[:, linked[1], linked[0]] = weights.T
                spread = torch.zeros(self.heads, len(ids), len(ids), dtype=h.dtype)
                spread[:, :, first] = dense[:, at]
                attentions.append(spread)
            else:
                h = layer(h, edges)
            h = nn.functional.elu(h) if self.attends else h.relu()
            states.append(h[at])
        return states, attentions, self.readout(h)

    def square(self, weights, length):
        """Padding has no neighbours; Attune gives it uniform attention weights."""
        _, rows, columns = weights.shape
        return torch.cat(
            [
                nn.functional.pad(weights, (0, length - columns)),
                torch.full((self.heads, length - rows, length), 1 / length, dtype=weights.dtype),
            ],
            1,
        )

    def forward(self, ids, mask):
        texts = [self.text(row[keep == 1]) for row, keep in zip(ids, mask)]
        length = ids.shape[1]
        padded = lambda h: nn.functional.pad(h, (0, 0, 0, length - len(h)))
        states = [torch.stack([padded(h) for h in layer]) for layer in zip(*(t[0] for t in texts))]
        attentions = [torch.stack([self.square(a, length) for a in layer]) for layer in zip(*(t[1] for t in texts))]
        return SimpleNamespace(
            last_hidden_state=states[-1],
            hidden_states=states,
            attentions=attentions or None,
            pooled=torch.stack([t[2] for t in texts]),
        )


class GraphForSequenceClassification(WrittenForClassification):
    SOURCE = f"{WrittenForClassification.SOURCE}, with layers of torch_geometric {torch_geometric.__version__}"

    def __init__(self, config):
        super().__init__(config, "graph", Graph(config), config.hidden_size)


TINY = dict(
    vocab_size=24, embedding_size=10, hidden_size=16, num_hidden_layers=2, num_attention_heads=4, dropout=0.0, maximum_length=32
)  # fmt: skip
for layer, window in {"gcn": 3, "gat": 2}.items():
    config = Config("graph", **TINY, layer=layer, window=window)
    write_case("graph", layer, GraphForSequenceClassification, config, Classification, lengths=((15, 9, 2), (13, 6)))
    # Every fifth pair is a phrase, so that texts have phrases, some of them twice.
    phrases = [[a, b] for a in range(3, 24) for b in range(3, 24) if (7 * a + b) % 5 == 0]
    config = Config("graph", **TINY, layer=layer, window=window, phrases=phrases)
    write_case("graph", f"{layer}-phrases", GraphForSequenceClassification, config, Classification, lengths=((15, 9, 2), (13, 6)))


def collocations(texts, count, minimum):
    """Scores of pairs: (count of the pair - minimum) / (count of the first * count of the second), Mikolov et al., 2013, equation 6."""
    words = [" ".join(map(str, text)) for text in texts]
    counted = lambda n: CountVectorizer(ngram_range=(n, n), token_pattern=r"\d+").fit(words)
    totals = lambda v: dict(zip(v.get_feature_names_out(), v.transform(words).sum(0).A1.tolist()))
    singles, pairs = totals(counted(1)), totals(counted(2))
    score = lambda a, b: (pairs[f"{a} {b}"] - minimum) / (singles[a] * singles[b])
    scored = [(-score(*pair.split()), [int(token) for token in pair.split()]) for pair in pairs if pairs[pair] > minimum]
    return [pair for _, pair in sorted(scored)][:count]


random = numpy.random.default_rng(7)
texts = [random.geometric(0.15, random.integers(1, 30)).clip(max=30).tolist() for _ in range(120)]
found = {
    "source": f"scikit-learn {sklearn.__version__}, CountVectorizer",
    "texts": texts,
    "cases": [
        {"phraseCount": count, "phraseMinimumCount": minimum, "phrases": collocations(texts, count, minimum)}
        for count, minimum in [(12, 5), (1000, 2)]
    ],
}
(ROOT / "plugins/model-graph/golden/gcn-phrases/collocations.json").write_text(json.dumps(found) + "\n")
