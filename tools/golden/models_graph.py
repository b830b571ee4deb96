"""
Tiny random graph networks on the words of a text, with the layers of PyTorch Geometric on lists of edges that are collected
token by token: see model_parity.py. Needs torch, transformers, safetensors and torch_geometric (2.8).
"""
from types import SimpleNamespace

import torch
import torch_geometric
from model_parity import Classification, write_case
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


class Graph(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.window, self.attends, self.heads = config.window, config.layer == "gat", config.num_attention_heads
        self.embeddings = Embeddings(config)
        widths = [config.embedding_size] + [config.hidden_size] * config.num_hidden_layers
        gat = lambda a, b: GATConv(a, b // config.num_attention_heads, heads=config.num_attention_heads)
        self.layers = nn.ModuleList((gat if self.attends else GCNConv)(a, b) for a, b in zip(widths, widths[1:]))
        self.readout = Readout(config.hidden_size)

    def edges(self, text, words):
        """Both directions, no word to itself: that link the layers add."""
        found = set()
        for start in range(len(text)):
            window = [words.index(token) for token in text[start : start + self.window]]
            found |= {(a, b) for a in window for b in window if a != b}
        return torch.tensor(sorted(found), dtype=torch.long).reshape(-1, 2).T

    def text(self, ids):
        """States of the words and their attention weights, each at the places of `ids`, a text without padding; the pooled."""
        tokens = ids.tolist()
        words = sorted(set(tokens))
        edges, at = self.edges(tokens, words), [words.index(token) for token in tokens]
        first = [tokens.index(token) for token in words]
        h = self.embeddings.word_embeddings(torch.tensor(words))
        states, attentions = [h[at]], []
        for layer in self.layers:
            if self.attends:
                h, (linked, weights) = layer(h, edges, return_attention_weights=True)
                dense = torch.zeros(self.heads, len(words), len(words), dtype=h.dtype)
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
        """Padding is nobody's neighbour; of its own, Attune gives all places equal shares."""
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
