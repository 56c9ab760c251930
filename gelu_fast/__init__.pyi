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
gelu_backward_erf: np.ufunc
gelu_backward_tanh: np.ufunc
gelu_backward_sigmoid: np.ufunc
bias_gelu_erf: np.ufunc
bias_gelu_tanh: np.ufunc
bias_gelu_sigmoid: np.ufunc
geglu_erf: np.ufunc
geglu_tanh: np.ufunc
geglu_sigmoid: np.ufunc
geglu_backward_erf: np.ufunc
geglu_backward_tanh: np.ufunc
geglu_backward_sigmoid: np.ufunc
gelu_mu_sigma_erf: np.ufunc
gelu_mu_sigma_tanh: np.ufunc
gelu_mu_sigma_sigmoid: np.ufunc
gelu_gate_mu_sigma_erf: np.ufunc
gelu_gate_mu_sigma_tanh: np.ufunc
gelu_gate_mu_sigma_sigmoid: np.ufunc
gelu_grad_mu_sigma_erf: np.ufunc
gelu_grad_mu_sigma_tanh: np.ufunc
gelu_grad_mu_sigma_sigmoid: np.ufunc
gelu_backward_mu_sigma_erf: np.ufunc
gelu_backward_mu_sigma_tanh: np.ufunc
gelu_backward_mu_sigma_sigmoid: np.ufunc

def gelu(
    x: ArrayLike,
    approx: bool | Literal["none", "tanh", "sigmoid"] = False,
    *,
    mu: ArrayLike = 0.0,
    sigma: ArrayLike = 1.0,
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
    mu: ArrayLike = 0.0,
    sigma: ArrayLike = 1.0,
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
    mu: ArrayLike = 0.0,
    sigma: ArrayLike = 1.0,
    out: np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any]] | None = None,
    where: ArrayLike = True,
    dtype: DTypeLike | None = None,
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    order: Literal["K", "A", "C", "F"] = "K",
    subok: bool = True,
) -> Any: ...
def gelu_backward(
    dy: ArrayLike,
    x: ArrayLike,
    approx: bool | Literal["none", "tanh", "sigmoid"] = False,
    *,
    mu: ArrayLike = 0.0,
    sigma: ArrayLike = 1.0,
    out: np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any]] | None = None,
    where: ArrayLike = True,
    dtype: DTypeLike | None = None,
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    order: Literal["K", "A", "C", "F"] = "K",
    subok: bool = True,
) -> Any: ...
def bias_gelu(
    x: ArrayLike,
    bias: ArrayLike,
    approx: bool | Literal["none", "tanh", "sigmoid"] = False,
    *,
    out: np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any]] | None = None,
    where: ArrayLike = True,
    dtype: DTypeLike | None = None,
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    order: Literal["K", "A", "C", "F"] = "K",
    subok: bool = True,
) -> Any: ...
def geglu(
    gate: ArrayLike,
    up: ArrayLike | None = None,
    approx: bool | Literal["none", "tanh", "sigmoid"] = False,
    *,
    axis: int = -1,
    out: np.ndarray[Any, Any] | tuple[np.ndarray[Any, Any]] | None = None,
    where: ArrayLike = True,
    dtype: DTypeLike | None = None,
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    order: Literal["K", "A", "C", "F"] = "K",
    subok: bool = True,
) -> Any: ...
def geglu_backward(
    dy: ArrayLike,
    gate: ArrayLike,
    up: ArrayLike,
    approx: bool | Literal["none", "tanh", "sigmoid"] = False,
    *,
    out: tuple[np.ndarray[Any, Any] | None, np.ndarray[Any, Any] | None] | None = None,
    where: ArrayLike = True,
    dtype: DTypeLike | None = None,
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"] = "same_kind",
    order: Literal["K", "A", "C", "F"] = "K",
    subok: bool = True,
) -> tuple[Any, Any]: ...
def stochastic_gelu(
    x: ArrayLike,
    rng: np.random.Generator | int | None = None,
    *,
    approx: bool | Literal["none", "tanh", "sigmoid"] = False,
    out: np.ndarray[Any, Any] | None = None,
    return_mask: bool = False,
) -> Any: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int | None) -> None: ...
def show_config() -> None: ...
