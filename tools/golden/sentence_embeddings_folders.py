"""Folders of sentence-transformers with a very small random BERT, and the vectors that the library computes with them.

Each case has the files that differ from those of the base model: JSON as it is, weights in base64.
Run from the root: python tools/golden/sentence_embeddings_folders.py
"""

import base64
import json
import shutil
import tempfile
from pathlib import Path

import sentence_transformers
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling
from transformers import BertConfig, BertModel, BertTokenizerFast

OUT = Path("packages/cli/golden/sentence-embeddings")
MODES = ["cls", "max", "mean", "mean_sqrt_len_tokens", "weightedmean", "lasttoken"]
WORDS = "the a old new red green dog cat car apple tea jumps runs over under near The Dog Cat query : it ##s ##y . !".split()
TEXTS = [
    "the old dog jumps over the new red car near a green apple.",
    "red apple",
    "The Cat runs",
    "",
    "it's a new car! the cat jumps under it",
]
OLD_KEYS = {mode: f"pooling_mode_{mode}_tokens" for mode in ["max", "mean", "mean_sqrt_len_tokens", "weightedmean"]} | {
    "cls": "pooling_mode_cls_token",
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}


def random(module):
    """Weights of the usual size of trained ones, so that no module is near the identity."""
    for each in module.parameters():
        torch.nn.init.normal_(each, 0, 0.5)
    return module


def base(folder):
    torch.manual_seed(0)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    (folder / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=False).save_pretrained(folder)
    (folder / "vocab.txt").unlink()
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=24, initializer_range=0.5,
    )
    BertModel(config).save_pretrained(folder)


def modules(folder, *after, limit=9):
    return [Transformer(str(folder), max_seq_length=limit), *after]


def cases(folder):
    for mode in MODES:
        yield mode, modules(folder, Pooling(8, mode)), {}
        yield f"{mode}, normalized", modules(folder, Pooling(8, mode), Normalize()), {}
    yield "two poolings", modules(folder, Pooling(8, ("mean", "cls")), Normalize()), {}
    yield "dense", modules(folder, Pooling(8, "mean"), random(Dense(8, 5)), Normalize()), {}
    dense = Dense(8, 6, bias=False, activation_function=torch.nn.Identity())
    yield "dense without bias", modules(folder, Pooling(8, "cls"), random(dense)), {}
    residual = Dense(8, 4, activation_function=torch.nn.GELU(), use_residual=True)
    yield "two dense modules", modules(folder, Pooling(8, "max"), random(residual), random(Dense(4, 4, use_residual=True))), {}
    yield "layer norm", modules(folder, Pooling(8, "mean"), random(LayerNorm(8))), {}
    prompts = {"prompts": {"query": "query : ", "passage": "a "}, "default_prompt_name": "query"}
    yield "default prompt", modules(folder, Pooling(8, "mean"), limit=12), prompts
    for mode in MODES:
        without = Pooling(8, mode, include_prompt=False)
        yield f"{mode} without the prompt", modules(folder, without, limit=12), prompts
    yield "dot product", modules(folder, Pooling(8, "mean")), {"similarity_fn_name": "dot"}
    yield "truncated", modules(folder, Pooling(8, "mean"), Normalize()), {"truncate_dim": 3}


def content(file):
    return json.loads(file.read_text()) if file.suffix == ".json" else base64.b64encode(file.read_bytes()).decode()


def own_files(folder):
    """The files of a saved model that are not those of the base model."""
    shared = {"config.json", "model.safetensors", "tokenizer.json", "README.md"}
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    names = [(file.relative_to(folder).as_posix(), file) for file in files]
    return {name: content(file) for name, file in names if name not in shared}


def older(folder, mode, lowercase):
    """Rewrites a saved model as the versions before 5.4 did."""
    types = {"0": "Transformer", "1": "Pooling", "2": "Normalize"}
    listed = [
        {"idx": int(i), "name": i, "path": "" if i == "0" else f"{i}_{kind}", "type": f"sentence_transformers.models.{kind}"}
        for i, kind in types.items()
        if i != "2" or mode != "mean_sqrt_len_tokens"  # normalized, it is the mean
    ]
    (folder / "modules.json").write_text(json.dumps(listed))
    shutil.rmtree(folder / "2_Normalize", ignore_errors=True)
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 7, "do_lower_case": lowercase}))
    keys = {key: name == mode for name, key in OLD_KEYS.items()}
    (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": 8, **keys}))


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    found = {}
    with tempfile.TemporaryDirectory() as temporary:
        root = Path(temporary)
        (root / "base").mkdir()
        base(root / "base")
        for name in ["config.json", "model.safetensors", "tokenizer.json"]:
            shutil.copy(root / "base" / name, OUT / name)

        def record(name, folder):
            model = SentenceTransformer(str(folder), device="cpu")
            vectors = [[round(float(x), 7) for x in row] for row in model.encode(TEXTS)]
            found[name] = {"files": own_files(folder), "vectors": vectors}

        for name, parts, options in cases(root / "base"):
            SentenceTransformer(modules=parts, device="cpu", **options).save(str(root / name), create_model_card=False)
            record(name, root / name)
        for mode in MODES:
            older(root / f"{mode}, normalized", mode, False)
            record(f"{mode}, older files", root / f"{mode}, normalized")
        older(root / "mean, normalized", "mean", True)
        record("lower case", root / "mean, normalized")
    golden = {
        "source": f"sentence-transformers {sentence_transformers.__version__}",
        "texts": TEXTS,
        "cases": found,
    }
    (OUT / "expected.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n")
    print(len(found), "cases;", {name: len(case["vectors"][0]) for name, case in found.items()})


main()
