from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, DTypeLike

__version__: str
gelu_erf: np.ufunc
gelu_tanh: np.ufunc
gelu_sigmoid: np.ufunc
gelu_gate_erf: np.ufunc
gelu_gate_tanh: np.ufunc
gelu_gate_sigmoid: np.ufunc
gelu_grad_erf: np.ufunc
gelu_grad_tanh: np.ufunc
gelu_grad_sigmoid: np.ufunc

def gelu(
    x: ArrayLike,
    approx: bool | Literal["none", "tanh", "sigmoid"] = False,
    *,
    out: np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any]] | None = None,
    where: ArrayLike = True,
    dtype: DTypeLike | None = None,
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    order: Literal["K", "A", "C", "F"] = "K",
    subok: bool = True,
) -> Any: ...
def gelu_gate(
    x: ArrayLike,
    approx: bool | Literal["none", "tanh", "sigmoid"] = False,
    *,
    out: np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any]] | None = None,
    where: ArrayLike = True,
    dtype: DTypeLike | None = None,
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    order: Literal["K", "A", "C", "F"] = "K",
    subok: bool = True,
) -> Any: ...
def gelu_grad(
    x: ArrayLike,
    approx: bool | Literal["none", "tanh", "sigmoid"] = False,
    *,
    out: np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any]] | None = None,
    where: ArrayLike = True,
    dtype: DTypeLike | None = None,
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    order: Literal["K", "A", "C", "F"] = "K",
    subok: bool = True,
) -> Any: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int | None) -> None: ...
def show_config() -> None: ...
