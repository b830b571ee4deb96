"""
Losses, gradients and decoded tags of linear-chain CRFs by pytorch-crf, and probabilities and marginals of a small model trained by
python-crfsuite. Needs torch, pytorch-crf (0.7) and python-crfsuite (0.9). Writes packages/nn/golden/crf.json. The values are float32;
everything is computed from them in float64.
"""
import json
import tempfile
from importlib.metadata import version
from pathlib import Path

import pycrfsuite
import torch
from torchcrf import CRF

GOLDEN = Path(__file__).resolve().parents[2] / "packages/nn/golden/crf.json"
PARTS = ("start_transitions", "end_transitions", "transitions")


def array(tensor):
    return {"shape": list(tensor.shape), "values": [round(v, 9) for v in tensor.detach().double().flatten().tolist()]}


def case(tags, mask, scale):
    """Rows of a mask with gaps: each row is computed from its words only, one after another."""
    crf = CRF(tags, batch_first=True).double()
    with torch.no_grad():
        for p in crf.parameters():
            p.copy_((scale * torch.randn_like(p)).float().double())
    mask = torch.tensor(mask)
    emissions = (scale * torch.randn(*mask.shape, tags)).float().double().requires_grad_()
    given = torch.randint(tags, mask.shape)
    losses, decoded = [], []
    for row, words in enumerate(mask.bool()):
        own = emissions[row, words].unsqueeze(0)
        losses.append(-crf(own, given[row, words].unsqueeze(0), reduction="sum"))
        decoded.append(crf.decode(own)[0])
    torch.stack(losses).sum().backward()
    return {
        "emissions": array(emissions),
        "tags": given.tolist(),
        "mask": mask.tolist(),
        **{name: array(getattr(crf, name)) for name in PARTS},
        "losses": [loss.item() for loss in losses],
        "decoded": decoded,
        "gradients": {"emissions": array(emissions.grad), **{name: array(getattr(crf, name).grad) for name in PARTS}},
    }


def crfsuite():
    """A model of four words and three tags; crfsuite has no scores of the first and last tag."""
    words, tags = ["the", "dog", "sees", "grass"], ["D", "N", "V"]
    texts = [("the dog sees grass", "D N V N"), ("the grass", "D N"), ("dog sees the dog", "N V D N")]
    trainer = pycrfsuite.Trainer(verbose=False)
    trainer.set_params({"c2": 0.1, "feature.possible_transitions": True, "feature.possible_states": True})
    for text, labels in texts:
        trainer.append([[word] for word in text.split()], labels.split())
    with tempfile.NamedTemporaryFile() as file:
        trainer.train(file.name)
        tagger = pycrfsuite.Tagger()
        tagger.open(file.name)
        info = tagger.info()
        text = "the dog sees the grass".split()
        tagger.set([[word] for word in text])
        return {
            "emissions": [[info.state_features.get((word, tag), 0) for tag in tags] for word in text],
            "transitions": [[info.transitions.get((a, b), 0) for b in tags] for a in tags],
            "tags": [tags.index(tag) for tag in tagger.tag()],
            "probability": tagger.probability(tagger.tag()),
            "marginals": [[tagger.marginal(tag, at) for tag in tags] for at in range(len(text))],
        }


torch.manual_seed(1)
ends = [[1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0], [1, 0, 0, 0, 0, 0]]
gaps = [[0, 1, 0, 1, 1, 0], [0, 0, 1, 0, 0, 0], [1, 0, 0, 0, 0, 1], [1, 1, 1, 1, 1, 1]]
found = {
    "source": f"pytorch-crf {version('pytorch-crf')}, python-crfsuite {version('python-crfsuite')}",
    "cases": {"padding": case(4, ends, 1), "gaps": case(3, gaps, 1), "large scores": case(5, gaps, 100)},
    "crfsuite": crfsuite(),
}
GOLDEN.write_text(json.dumps(found) + "\n")
