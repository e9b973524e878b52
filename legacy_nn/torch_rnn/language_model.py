"""nn.LanguageModel: torch-rnn's model of characters."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rekindle.core import ops
from rekindle.core.autograd import no_grad
from rekindle.core.checkpoint import Table
from rekindle.core.creation import ones, tensor
from rekindle.core.tensor import Tensor

from ..batch_normalization import BatchNormalization
from ..containers import Sequential
from ..dropout import Dropout
from ..errors import ArgumentError
from ..linear import Linear
from ..lookup import LookupTable
from ..module import torch_class
from ..torch7 import random
from .lstm import LSTM
from .temporal_adapter import AroundNet, views
from .vanilla import VanillaRNN


@torch_class("nn.LanguageModel")
class LanguageModel(AroundNet):
    """Scores of the next token for each step of (N, T) tokens: (N, T, vocab_size).

    Parameters
    ----------
    kwargs : mapping or Table
        idx_to_token (token by number, from 1), model_type ("rnn" or "lstm"), wordvec_size,
        rnn_size, num_layers, dropout, batchnorm (1 for yes).

    Source: jcjohnson/torch-rnn LanguageModel.lua.
    """

    idx_to_token: Table
    token_to_idx: Table
    rnns: Table

    def __init__(self, kwargs: Mapping[str, Any] | Table) -> None:
        super().__init__()
        self.idx_to_token = Table(kwargs["idx_to_token"])
        self.token_to_idx = Table({token: i for i, token in self.idx_to_token.items()})
        self.vocab_size = self.idx_to_token.count()
        self.model_type = kwargs["model_type"]
        self.wordvec_dim = kwargs["wordvec_size"]
        for name in ("rnn_size", "num_layers", "dropout", "batchnorm"):
            setattr(self, name, kwargs[name])
        V, D, H = self.vocab_size, self.wordvec_dim, kwargs["rnn_size"]
        if self.model_type not in ("rnn", "lstm"):
            raise ArgumentError(f"model_type is 'rnn' or 'lstm'; given {self.model_type!r}")
        self.net = Sequential().add(LookupTable(V, D))
        self.rnns, self.bn_view_in, self.bn_view_out = Table(), Table(), Table()
        for i in range(1, kwargs["num_layers"] + 1):
            kind = VanillaRNN if self.model_type == "rnn" else LSTM
            layer = kind(D if i == 1 else H, H)
            layer.remember_states = True
            self.rnns[i] = layer
            self.net.add(layer)
            if kwargs["batchnorm"] == 1:
                self.bn_view_in[i], self.bn_view_out[i] = views((1, 1, -1), 3), views((1, -1), 2)
                self.net.add(self.bn_view_in[i]).add(BatchNormalization(H))
                self.net.add(self.bn_view_out[i])
            if kwargs["dropout"] > 0:
                self.net.add(Dropout(kwargs["dropout"]))
        self.view1, self.view2 = views((1, 1, -1), 3), views((1, -1), 2)
        self.net.add(self.view1).add(Linear(H, V)).add(self.view2)

    def prepare_views(self, input: Tensor) -> None:
        N, T = input.shape[:2]
        for view in [self.view1, *self.bn_view_in.array()]:
            view.resetSize(N * T, -1)
        for view in [self.view2, *self.bn_view_out.array()]:
            view.resetSize(N, T, -1)

    def resetStates(self) -> None:
        """Let the next sequence start from zeros."""
        for layer in self.rnns.array():
            layer.resetStates()

    def encode_string(self, s: str) -> Tensor:
        """Return the tokens of a text, one for each character, shape (len(s),).

        Raises
        ------
        ArgumentError
            If the vocabulary lacks a character.
        """
        missing = [c for c in s if c not in self.token_to_idx]
        if missing:
            raise ArgumentError(f"Got invalid idx: no token for {missing[0]!r} in the vocabulary")
        return tensor([int(self.token_to_idx[c]) for c in s], "int64")

    def decode_string(self, encoded: Tensor) -> str:
        """Return the text of tokens of shape (T,)."""
        return "".join(self.idx_to_token[int(i)] for i in encoded.tolist())

    def sample(self, kwargs: Mapping[str, Any] | Table) -> str:
        """Return a text drawn from the model, which forgets its states before and after.

        Parameters
        ----------
        kwargs : mapping or Table
            length (100), start_text (""), verbose (0), sample (1; 0 takes the most probable),
            temperature (1).
        """
        length = int(kwargs.get("length", 100))
        text = kwargs.get("start_text", "")
        self.resetStates()
        with no_grad():
            if kwargs.get("verbose", 0) > 0:
                print(f'Seeding with: "{text}"' if text else "Seeding with uniform probabilities")
            if text:
                tokens = self.encode_string(text).tolist()
                scores = self.forward(tensor([tokens], "int64"))[0, -1]
            else:
                tokens = []
                scores = ones(self.vocab_size, self.dtype)
            while len(tokens) < length:
                tokens.append(self._next(scores, kwargs))
                scores = self.forward(tensor([[tokens[-1]]], "int64"))[0, -1]
        self.resetStates()
        return self.decode_string(tensor(tokens, "int64"))

    def _next(self, scores: Tensor, kwargs: Mapping[str, Any] | Table) -> int:
        if kwargs.get("sample", 1) == 0:
            return int(ops.argmax(scores, axis=0).item()) + 1
        chances = ops.exp(ops.astype(scores / kwargs.get("temperature", 1), "float64"))
        return int(random.multinomial(chances / ops.sum(chances), 1).item())
