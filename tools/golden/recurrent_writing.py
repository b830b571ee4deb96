"""
What tiny recurrent networks write, by greedy and by beam search, in PyTorch without a cache or padding: for
tools/parity/recurrent-writing.test.mjs. Reads the cases that models_recurrent.py wrote. Needs what that needs.
"""
import json

import torch
from model_parity import ROOT
from models_recurrent import LstmForCausalLM, LstmForConditionalGeneration
from safetensors.torch import load_file
from written_model import Config

PROMPTS = [[5, 9, 23, 12, 7], [14, 3], [20, 21, 22, 23, 24, 25, 26, 8]]
ROOM, BEAMS = 7, 3
CASES = ["writer", "gru-writer-tied", "rnn-writer", "additive-copy", "general", "dot-copy-tied"]


def load(case):
    folder = ROOT / "plugins/model-lstm/golden" / case
    given = json.loads((folder / "config.json").read_text())
    cls = {"decoder": LstmForCausalLM, "encoder-decoder": LstmForConditionalGeneration}[given["architecture"]]
    model = cls(Config(**given))
    model.load_state_dict(load_file(folder / "model.safetensors"))
    return model.double().eval()


def scores(model, prompt, written):
    """Log probabilities of the next token, the whole text read anew."""
    row = lambda ids: (torch.tensor([ids]), torch.ones(1, len(ids), dtype=torch.long))
    if isinstance(model, LstmForCausalLM):
        ids, mask = row(prompt + written)
        logits = model(ids, mask, ids).logits
    else:
        (ids, mask), (own, shown) = row(prompt), row([model.config.decoder_start_token_id] + written)
        logits = model.run(ids, mask, own, shown).logits
    return torch.log_softmax(logits[0, -1], 0)


def search(model, prompt, beams):
    """The likeliest text of ROOM tokens that is found by following so many, and the mean of its log probabilities."""
    followed = [(0.0, [])]
    for _ in range(ROOM):
        longer = []
        for total, written in followed:
            best = scores(model, prompt, written).topk(beams)
            longer += [(total + s, [*written, token]) for s, token in zip(best.values.tolist(), best.indices.tolist())]
        followed = sorted(longer, key=lambda each: -each[0])[:beams]
    total, written = followed[0]
    return {"written": written, "score": total / ROOM}


if __name__ == "__main__":
    texts = []
    with torch.no_grad():
        for case in CASES:
            model = load(case)
            for beams in (1, BEAMS):
                texts.append({"case": case, "beams": beams, "found": [search(model, prompt, beams) for prompt in PROMPTS]})
    golden = {"source": f"torch {torch.__version__}, float64", "prompts": PROMPTS, "room": ROOM, "texts": texts}
    (ROOT / "tools/parity/golden/recurrent-writing.json").write_text(json.dumps(golden) + "\n")
