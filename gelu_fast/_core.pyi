# SPDX-License-Identifier: BSD-3-Clause
# Types of the names of the compiled module that other Python files here use. __init__.pyi has the public functions.
import numpy as np
from numpy.typing import ArrayLike, NDArray

from gelu_fast import get_num_threads as get_num_threads

available_isa_levels: list[str]
isa_level: str
roundings: list[str]
rounding: str
compiler: str
openmp_version: int
ufuncs: dict[str, np.ufunc]
_c_api: object

def _use_level(name: str) -> None: ...
def _use_rounding(name: str) -> None: ...
def _stream_from(n_bytes: float | None = None) -> float: ...
def _streamed() -> int: ...
def _random_words(key: ArrayLike, at: int, n: int) -> NDArray[np.uint32]: ...
