"""What tiny decoders and encoder–decoders write: by transformers' own search, and by plain references for what it no longer has.

Needs torch and transformers, and the models that models_decoders.py and models_encoder_decoders.py made. Writes tools/parity/golden/generation.json

  texts      greedy and beam search by model.generate, in float64
  diverse    beams in groups (Vijayakumar et al., 2018), written here from the paper, every text read anew at each step
  contrast   contrastive search (Su et al., 2022), likewise
  warped     which tokens top-k, top-p and min-p leave, by transformers' logits processors
"""
import json
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM
from transformers.generation.logits_process import (
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

ROOT = Path(__file__).resolve().parents[2]
MODELS = ["model-gpt2/golden/lm", "model-gpt2/golden/untied", "model-llama/golden/llama3", "model-llama/golden/mistral",
          "model-llama/golden/qwen3", "model-gemma/golden/gemma2", "model-gemma/golden/gemma3"]  # fmt: skip
TWO_STACKS = [
    "model-t5/golden/t5", "model-t5/golden/gated", "model-bart/golden/writing", "model-transformer/golden/paper",
    "model-transformer/golden/opus",
]  # fmt: skip
PROMPTS = [[5, 9, 33, 12, 7], [44, 3], [20, 21, 22, 23, 24, 25, 26, 8]]
ROOM = 9
BAD_WORDS = [[i] for i in range(4, 58, 5)] + [[i, j] for i in range(3, 61, 7) for j in range(5, 61, 9)]
SEARCHES = [
    ({}, {}),
    ({"repetitionPenalty": 1.4}, {"repetition_penalty": 1.4}),
    ({"minimumNewTokens": 6}, {"min_new_tokens": 6}),
    ({"beams": 3}, {"num_beams": 3}),
    ({"beams": 4, "lengthPenalty": 0.0}, {"num_beams": 4, "length_penalty": 0.0}),
    ({"beams": 4, "lengthPenalty": 2.0, "earlyStopping": True}, {"num_beams": 4, "length_penalty": 2.0, "early_stopping": True}),
    ({"noRepeatNgramSize": 2}, {"no_repeat_ngram_size": 2}),
    ({"noRepeatNgramSize": 1, "beams": 3}, {"no_repeat_ngram_size": 1, "num_beams": 3}),
    ({"badWordsIds": BAD_WORDS}, {"bad_words_ids": BAD_WORDS}),
    ({"badWordsIds": BAD_WORDS, "beams": 3}, {"bad_words_ids": BAD_WORDS, "num_beams": 3}),
    ({"minimumLength": 12}, {"min_length": 12}),
    ({"minimumLength": 9, "beams": 2}, {"min_length": 9, "num_beams": 2}),
    ({"forcedBosTokenId": 11, "forcedEosTokenIds": [33]}, {"forced_bos_token_id": 11, "forced_eos_token_id": 33}),
    ({"forcedBosTokenId": 11, "forcedEosTokenIds": [33], "beams": 3, "minimumNewTokens": 8},
     {"forced_bos_token_id": 11, "forced_eos_token_id": 33, "num_beams": 3, "min_new_tokens": 8}),
    ({"beams": 2, "repetitionPenalty": 1.3, "minimumNewTokens": 3}, {"num_beams": 2, "repetition_penalty": 1.3, "min_new_tokens": 3}),
]


def load(folder):
    kind = AutoModelForSeq2SeqLM if folder in TWO_STACKS else AutoModelForCausalLM
    model = kind.from_pretrained(ROOT / "plugins" / folder, attn_implementation="eager").double().eval()
    # The tiny models seldom end a text by themselves: a third of the vocabulary ends one here.
    return model, sorted({2, *range(30, 61, 3)})


def written(model, ends, prompt, options):
    ids = torch.tensor([prompt])
    # transformers' cache has room for as many layers as the encoder has, so there is none where the decoder has more.
    cached = not model.config.is_encoder_decoder
    fixed = dict(max_new_tokens=ROOM, do_sample=False, eos_token_id=ends, pad_token_id=0, use_cache=cached)
    out = model.generate(ids, attention_mask=torch.ones_like(ids), **fixed, **options)
    new = out[0, 1 if model.config.is_encoder_decoder else len(prompt) :].tolist()
    stop = next((i for i, token in enumerate(new) if token in ends), len(new))
    return new[:stop]


def run(model, prompt, text):
    """Logits and the states of the last layer, of the decoder's tokens, all read anew."""
    with torch.no_grad():
        if model.config.is_encoder_decoder:
            read = torch.tensor([[model.config.decoder_start_token_id, *text]])
            output = model(torch.tensor([prompt]), decoder_input_ids=read, output_hidden_states=True, use_cache=False)
            return output.logits[0], output.decoder_hidden_states[-1][0]
        output = model(torch.tensor([prompt + text]), output_hidden_states=True)
        return output.logits[0], output.hidden_states[-1][0]


def diverse(model, ends, prompt, beams, groups, penalty):
    size = beams // groups
    live = [[([], 0.0)] for _ in range(groups)]
    ended, done = [[] for _ in range(groups)], [False] * groups
    for length in range(1, ROOM + 1):
        taken = torch.zeros(model.config.vocab_size, dtype=torch.double)
        for g in range(groups):
            if done[g]:
                continue
            found = []
            for text, total in live[g]:
                scores = torch.log_softmax(run(model, prompt, text)[0][-1], -1) - penalty * taken
                found += [(text + [token], total + scores[token].item()) for token in range(len(scores))]
            found.sort(key=lambda each: -each[1])
            found = found[: size * (1 + len(ends))]
            over = lambda text: text[-1] in ends or length == ROOM
            fresh = [(text, total / length) for text, total in found[:size] if over(text)]
            ended[g] = sorted(ended[g] + fresh, key=lambda each: -each[1])[:size]
            live[g] = [each for each in found if not over(each[0])][:size]
            for text, _ in live[g]:
                taken[text[-1]] += 1
            worst = ended[g][-1][1] if len(ended[g]) == size else float("-inf")
            done[g] = not live[g] or live[g][0][1] / length <= worst
    best = max((each for group in ended for each in group), key=lambda each: each[1])[0]
    return best[:-1] if best[-1] in ends else best


def contrast(model, ends, prompt, top, alpha):
    text = []
    while len(text) < ROOM:
        logits, states = run(model, prompt, text)
        probabilities = torch.softmax(logits[-1], -1)
        before = torch.nn.functional.normalize(states, dim=-1)
        scored = []
        for token in torch.topk(probabilities, top).indices.tolist():
            state = run(model, prompt, text + [token])[1][-1]
            likeness = (before @ torch.nn.functional.normalize(state, dim=-1)).max().item()
            scored.append(((1 - alpha) * probabilities[token].item() - alpha * likeness, token))
        token = max(scored)[1]
        if token in ends:
            return text
        text.append(token)
    return text


texts, diverses, contrasts = [], [], []
for folder in MODELS + TWO_STACKS:
    model, ends = load(folder)
    for ours, theirs in SEARCHES:
        found = [written(model, ends, prompt, theirs) for prompt in PROMPTS]
        texts.append({"model": folder, "ends": ends, "options": ours, "written": found})
    for groups, penalty in [(2, 0.7), (4, 3.0)]:
        found = [diverse(model, ends, prompt, 4, groups, penalty) for prompt in PROMPTS]
        options = {"beams": 4, "beamGroups": groups, "diversityPenalty": penalty}
        diverses.append({"model": folder, "ends": ends, "options": options, "written": found})
    for top, alpha in [(4, 0.6), (6, 0.3)]:
        found = [contrast(model, ends, prompt, top, alpha) for prompt in PROMPTS]
        options = {"topK": top, "degenerationPenalty": alpha}
        contrasts.append({"model": folder, "ends": ends, "options": options, "written": found})

torch.manual_seed(1)
warped = []
for scale in (1.0, 4.0):
    logits = (scale * torch.randn(1, 200)).float()
    for name, value, warper in [
        *(("topK", k, TopKLogitsWarper(k)) for k in (1, 7, 199)),
        *(("topP", p, TopPLogitsWarper(p)) for p in (0.1, 0.5, 0.95)),
        *(("minP", p, MinPLogitsWarper(p)) for p in (0.02, 0.5)),
    ]:
        kept = (warper(None, logits) > float("-inf")).nonzero()[:, 1].tolist()
        warped.append({"option": name, "value": value, "logits": logits[0].tolist(), "kept": kept})
logits = torch.randn(1, 12)
penalised = RepetitionPenaltyLogitsProcessor(1.7)(torch.tensor([[3, 3, 8, 0]]), logits)[0].tolist()

(ROOT / "tools/parity/golden/generation.json").write_text(
    json.dumps(
        {
            "source": f"transformers {transformers.__version__} on torch {torch.__version__}, float64",
            "prompts": PROMPTS,
            "room": ROOM,
            "texts": texts,
            "diverse": diverses,
            "contrast": contrasts,
        }
    )
)
(ROOT / "packages/generate/golden").mkdir(exist_ok=True)
(ROOT / "packages/generate/golden/transformers-warping.json").write_text(
    json.dumps(
        {
            "source": f"transformers {transformers.__version__}",
            "warped": warped,
            "penalty": {"read": [3, 3, 8, 0], "penalty": 1.7, "logits": logits[0].tolist(), "penalised": penalised},
        }
    )
)
