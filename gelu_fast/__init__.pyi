# Arrays and scalars of one float type give that type, and Python floats give np.float64. (For a type checker a bool is
# a float; at run time it gives np.float16.) Other and mixed types, dtype=, mu= and sigma= give an array or scalar of
# any type. As in NumPy's stubs, ArrayLike gives an array, though objects of pandas and dask give their own kind. A
# scalar is ArrayLike too, so overloads overlap on purpose:
# pyright: reportOverlappingOverload=false
from collections.abc import Hashable, Sequence
from typing import (
    Any,
    Generic,
    Literal,
    Required,
    TypeAlias,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
    type_check_only,
)

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

_F = TypeVar("_F", bound=np.floating[Any])
_Y = TypeVar("_Y", bound=np.ndarray[Any, Any])
_Z = TypeVar("_Z", bound=np.ndarray[Any, Any])
_A: TypeAlias = NDArray[_F]
_Scalar: TypeAlias = float | np.floating[Any] | np.integer[Any] | np.bool
_Approx: TypeAlias = bool | Literal["none", "tanh", "sigmoid"]
_Framework: TypeAlias = Literal[
    "transformers", "torch", "keras", "jax", "onnx", "onnxruntime", "ggml", "megatron", "fairseq"
]
_Signature: TypeAlias = str | tuple[DTypeLike | None, ...] | None
_Rng: TypeAlias = (
    int
    | Sequence[int]
    | NDArray[np.integer[Any]]
    | np.random.SeedSequence
    | np.random.BitGenerator
    | np.random.Generator
    | np.random.RandomState
    | None
)

# ---- keywords ----

@type_check_only
class _Casting(TypedDict, total=False):
    casting: Literal["no", "equiv", "safe", "same_kind", "unsafe"]
    order: Literal["K", "A", "C", "F"]
    subok: bool

@type_check_only
class _Loop(_Casting, total=False):
    out: None

@type_check_only
class _Where(_Loop, total=False):
    where: ArrayLike

@type_check_only
class _Typed(_Loop, total=False):
    dtype: DTypeLike | None
    signature: _Signature

@type_check_only
class _TypedAt(_Typed, total=False):
    mu: _Scalar
    sigma: _Scalar

@type_check_only
class _Ufunc(_Where, total=False):
    dtype: DTypeLike | None
    signature: _Signature

@type_check_only
class _UfuncAt(_Ufunc, total=False):
    mu: ArrayLike
    sigma: ArrayLike

@type_check_only
class _Given(_Casting, total=False):  # beside an out that is given
    where: ArrayLike
    dtype: DTypeLike | None
    signature: _Signature

@type_check_only
class _Out(_Given, Generic[_Y], total=False):
    out: Required[_Y | tuple[_Y]]

@type_check_only
class _OutAt(_Out[_Y], Generic[_Y], total=False):
    mu: ArrayLike
    sigma: ArrayLike

@type_check_only
class _Draw(TypedDict, total=False):
    approx: _Approx
    approximate: _Approx | None
    offset: int

@type_check_only
class _Alone(_Draw, total=False):
    out: None
    return_mask: Literal[False]

@type_check_only
class _Masked(_Draw, total=False):
    out: None
    return_mask: Required[Literal[True]]

# ---- functions ----

__version__: str

@type_check_only
class _OfOne:
    __name__: str
    @overload
    def __call__(
        self,
        x: ArrayLike,
        approx: _Approx = False,
        *,
        approximate: _Approx | None = None,
        **kw: Unpack[_OutAt[_Y]],
    ) -> _Y: ...
    @overload
    def __call__(
        self, x: _A[_F], approx: _Approx = False, *, approximate: _Approx | None = None, **kw: Unpack[_Where]
    ) -> _A[_F]: ...
    @overload
    def __call__(
        self, x: _F, approx: _Approx = False, *, approximate: _Approx | None = None, **kw: Unpack[_Loop]
    ) -> _F: ...
    @overload
    def __call__(
        self, x: float, approx: _Approx = False, *, approximate: _Approx | None = None, **kw: Unpack[_Loop]
    ) -> np.float64: ...
    @overload
    def __call__(
        self,
        x: _Scalar,
        approx: _Approx = False,
        *,
        approximate: _Approx | None = None,
        **kw: Unpack[_TypedAt],
    ) -> np.floating[Any]: ...
    @overload
    def __call__(
        self,
        x: ArrayLike,
        approx: _Approx = False,
        *,
        approximate: _Approx | None = None,
        **kw: Unpack[_UfuncAt],
    ) -> NDArray[Any]: ...

gelu: _OfOne
gelu_gate: _OfOne
gelu_grad: _OfOne

@type_check_only
class _Activation:
    __name__: str
    @overload
    def __call__(self, x: ArrayLike, /, out: _Y | tuple[_Y], **kw: Unpack[_Given]) -> _Y: ...
    @overload
    def __call__(self, x: _A[_F], /, **kw: Unpack[_Where]) -> _A[_F]: ...
    @overload
    def __call__(self, x: _F, /, **kw: Unpack[_Loop]) -> _F: ...
    @overload
    def __call__(self, x: float, /, **kw: Unpack[_Loop]) -> np.float64: ...
    @overload
    def __call__(self, x: _Scalar, /, **kw: Unpack[_Typed]) -> np.floating[Any]: ...
    @overload
    def __call__(self, x: ArrayLike, /, **kw: Unpack[_Ufunc]) -> NDArray[Any]: ...

@overload
def gelu_backward(
    dy: ArrayLike,
    x: ArrayLike,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_OutAt[_Y]],
) -> _Y: ...
@overload
def gelu_backward(
    dy: _A[_F],
    x: _A[_F],
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Where],
) -> _A[_F]: ...
@overload
def gelu_backward(
    dy: _F, x: _F, approx: _Approx = False, *, approximate: _Approx | None = None, **kw: Unpack[_Loop]
) -> _F: ...
@overload
def gelu_backward(
    dy: float, x: float, approx: _Approx = False, *, approximate: _Approx | None = None, **kw: Unpack[_Loop]
) -> np.float64: ...
@overload
def gelu_backward(
    dy: _Scalar,
    x: _Scalar,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_TypedAt],
) -> np.floating[Any]: ...
@overload
def gelu_backward(
    dy: ArrayLike,
    x: ArrayLike,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_UfuncAt],
) -> NDArray[Any]: ...
@overload
def bias_gelu(
    x: ArrayLike,
    bias: ArrayLike,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Out[_Y]],
) -> _Y: ...
@overload
def bias_gelu(
    x: _A[_F],
    bias: _A[_F],
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Where],
) -> _A[_F]: ...
@overload
def bias_gelu(
    x: _F, bias: _F, approx: _Approx = False, *, approximate: _Approx | None = None, **kw: Unpack[_Loop]
) -> _F: ...
@overload
def bias_gelu(
    x: float, bias: float, approx: _Approx = False, *, approximate: _Approx | None = None, **kw: Unpack[_Loop]
) -> np.float64: ...
@overload
def bias_gelu(
    x: _Scalar,
    bias: _Scalar,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Typed],
) -> np.floating[Any]: ...
@overload
def bias_gelu(
    x: ArrayLike,
    bias: ArrayLike,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Ufunc],
) -> NDArray[Any]: ...
@overload
def geglu(
    gate: ArrayLike,
    up: ArrayLike | None = None,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    axis: int = -1,
    dim: Hashable | None = None,
    **kw: Unpack[_Out[_Y]],
) -> _Y: ...
@overload
def geglu(
    gate: _A[_F],
    up: _A[_F] | None = None,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    axis: int = -1,
    dim: Hashable | None = None,
    **kw: Unpack[_Where],
) -> _A[_F]: ...
@overload
def geglu(
    gate: _F, up: _F, approx: _Approx = False, *, approximate: _Approx | None = None, **kw: Unpack[_Loop]
) -> _F: ...
@overload
def geglu(
    gate: float,
    up: float,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Loop],
) -> np.float64: ...
@overload
def geglu(
    gate: _Scalar,
    up: _Scalar,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Typed],
) -> np.floating[Any]: ...
@overload
def geglu(
    gate: ArrayLike,
    up: ArrayLike | None = None,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    axis: int = -1,
    dim: Hashable | None = None,
    **kw: Unpack[_Ufunc],
) -> NDArray[Any]: ...
@overload
def geglu_backward(
    dy: ArrayLike,
    gate: ArrayLike,
    up: ArrayLike,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    out: tuple[_Y, _Z],
    **kw: Unpack[_Given],
) -> tuple[_Y, _Z]: ...
@overload
def geglu_backward(
    dy: _A[_F],
    gate: _A[_F],
    up: _A[_F],
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Where],
) -> tuple[_A[_F], _A[_F]]: ...
@overload
def geglu_backward(
    dy: _F,
    gate: _F,
    up: _F,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Loop],
) -> tuple[_F, _F]: ...
@overload
def geglu_backward(
    dy: float,
    gate: float,
    up: float,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    **kw: Unpack[_Loop],
) -> tuple[np.float64, np.float64]: ...
@overload
def geglu_backward(
    dy: ArrayLike,
    gate: ArrayLike,
    up: ArrayLike,
    approx: _Approx = False,
    *,
    approximate: _Approx | None = None,
    out: tuple[np.ndarray[Any, Any] | None, np.ndarray[Any, Any] | None] | None = None,
    **kw: Unpack[_Given],
) -> tuple[NDArray[Any], NDArray[Any]]: ...
@overload
def stochastic_gelu(
    x: ArrayLike, rng: _Rng = None, *, out: _Y, return_mask: Literal[False] = False, **kw: Unpack[_Draw]
) -> _Y: ...
@overload
def stochastic_gelu(
    x: ArrayLike, rng: _Rng = None, *, out: _Y, return_mask: Literal[True], **kw: Unpack[_Draw]
) -> tuple[_Y, NDArray[np.bool]]: ...
@overload
def stochastic_gelu(x: _A[_F], rng: _Rng = None, **kw: Unpack[_Alone]) -> _A[_F]: ...
@overload
def stochastic_gelu(x: _F, rng: _Rng = None, **kw: Unpack[_Alone]) -> _F: ...
@overload
def stochastic_gelu(x: float, rng: _Rng = None, **kw: Unpack[_Alone]) -> np.float64: ...
@overload
def stochastic_gelu(x: _Scalar, rng: _Rng = None, **kw: Unpack[_Alone]) -> np.floating[Any]: ...
@overload
def stochastic_gelu(x: ArrayLike, rng: _Rng = None, **kw: Unpack[_Alone]) -> NDArray[Any]: ...
@overload
def stochastic_gelu(
    x: _A[_F], rng: _Rng = None, **kw: Unpack[_Masked]
) -> tuple[_A[_F], NDArray[np.bool]]: ...
@overload
def stochastic_gelu(x: _F, rng: _Rng = None, **kw: Unpack[_Masked]) -> tuple[_F, np.bool]: ...
@overload
def stochastic_gelu(x: float, rng: _Rng = None, **kw: Unpack[_Masked]) -> tuple[np.float64, np.bool]: ...
@overload
def stochastic_gelu(
    x: _Scalar, rng: _Rng = None, **kw: Unpack[_Masked]
) -> tuple[np.floating[Any], np.bool]: ...
@overload
def stochastic_gelu(
    x: ArrayLike, rng: _Rng = None, **kw: Unpack[_Masked]
) -> tuple[NDArray[Any], NDArray[np.bool]]: ...
@overload
def stochastic_gelu(
    x: ArrayLike,
    rng: _Rng = None,
    *,
    out: np.ndarray[Any, Any] | None = None,
    return_mask: bool,
    **kw: Unpack[_Draw],
) -> Any: ...
def activation(name: str, framework: _Framework = "transformers") -> _Activation: ...
def get_num_threads() -> int: ...
def set_num_threads(n: int | None) -> None: ...
def get_include() -> str: ...
def show_config() -> None: ...

# ---- ufuncs, whose class NumPy's stubs declare final ----

@type_check_only
class _Ufunc1(_Activation, np.ufunc):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    __name__: str

@type_check_only
class _Ufunc2(np.ufunc):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike, /, out: _Y | tuple[_Y], **kw: Unpack[_Given]) -> _Y: ...
    @overload
    def __call__(self, x1: _A[_F], x2: _A[_F], /, **kw: Unpack[_Where]) -> _A[_F]: ...
    @overload
    def __call__(self, x1: _F, x2: _F, /, **kw: Unpack[_Loop]) -> _F: ...
    @overload
    def __call__(self, x1: float, x2: float, /, **kw: Unpack[_Loop]) -> np.float64: ...
    @overload
    def __call__(self, x1: _Scalar, x2: _Scalar, /, **kw: Unpack[_Typed]) -> np.floating[Any]: ...
    @overload
    def __call__(self, x1: ArrayLike, x2: ArrayLike, /, **kw: Unpack[_Ufunc]) -> NDArray[Any]: ...

@type_check_only
class _Ufunc3(np.ufunc):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    @overload
    def __call__(
        self, x1: ArrayLike, x2: ArrayLike, x3: ArrayLike, /, out: _Y | tuple[_Y], **kw: Unpack[_Given]
    ) -> _Y: ...
    @overload
    def __call__(self, x1: _A[_F], x2: _A[_F], x3: _A[_F], /, **kw: Unpack[_Where]) -> _A[_F]: ...
    @overload
    def __call__(self, x1: _F, x2: _F, x3: _F, /, **kw: Unpack[_Loop]) -> _F: ...
    @overload
    def __call__(self, x1: float, x2: float, x3: float, /, **kw: Unpack[_Loop]) -> np.float64: ...
    @overload
    def __call__(
        self, x1: ArrayLike, x2: ArrayLike, x3: ArrayLike, /, **kw: Unpack[_Ufunc]
    ) -> NDArray[Any]: ...

@type_check_only
class _Ufunc4(np.ufunc):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    @overload
    def __call__(
        self,
        x1: ArrayLike,
        x2: ArrayLike,
        x3: ArrayLike,
        x4: ArrayLike,
        /,
        out: _Y | tuple[_Y],
        **kw: Unpack[_Given],
    ) -> _Y: ...
    @overload
    def __call__(self, x1: _A[_F], x2: _A[_F], x3: _A[_F], x4: _A[_F], /, **kw: Unpack[_Where]) -> _A[_F]: ...
    @overload
    def __call__(self, x1: _F, x2: _F, x3: _F, x4: _F, /, **kw: Unpack[_Loop]) -> _F: ...
    @overload
    def __call__(self, x1: float, x2: float, x3: float, x4: float, /, **kw: Unpack[_Loop]) -> np.float64: ...
    @overload
    def __call__(
        self, x1: ArrayLike, x2: ArrayLike, x3: ArrayLike, x4: ArrayLike, /, **kw: Unpack[_Ufunc]
    ) -> NDArray[Any]: ...

@type_check_only
class _Ufunc3To2(np.ufunc):  # type: ignore[misc]  # pyright: ignore[reportGeneralTypeIssues]
    @overload
    def __call__(
        self, x1: ArrayLike, x2: ArrayLike, x3: ArrayLike, /, out: tuple[_Y, _Z], **kw: Unpack[_Given]
    ) -> tuple[_Y, _Z]: ...
    @overload
    def __call__(
        self, x1: _A[_F], x2: _A[_F], x3: _A[_F], /, **kw: Unpack[_Where]
    ) -> tuple[_A[_F], _A[_F]]: ...
    @overload
    def __call__(self, x1: _F, x2: _F, x3: _F, /, **kw: Unpack[_Loop]) -> tuple[_F, _F]: ...
    @overload
    def __call__(
        self, x1: float, x2: float, x3: float, /, **kw: Unpack[_Loop]
    ) -> tuple[np.float64, np.float64]: ...
    @overload
    def __call__(
        self,
        x1: ArrayLike,
        x2: ArrayLike,
        x3: ArrayLike,
        /,
        out: tuple[np.ndarray[Any, Any] | None, np.ndarray[Any, Any] | None] | None = None,
        **kw: Unpack[_Given],
    ) -> tuple[NDArray[Any], NDArray[Any]]: ...

gelu_erf: _Ufunc1
gelu_tanh: _Ufunc1
gelu_sigmoid: _Ufunc1
gelu_gate_erf: _Ufunc1
gelu_gate_tanh: _Ufunc1
gelu_gate_sigmoid: _Ufunc1
gelu_grad_erf: _Ufunc1
gelu_grad_tanh: _Ufunc1
gelu_grad_sigmoid: _Ufunc1
gelu_backward_erf: _Ufunc2
gelu_backward_tanh: _Ufunc2
gelu_backward_sigmoid: _Ufunc2
bias_gelu_erf: _Ufunc2
bias_gelu_tanh: _Ufunc2
bias_gelu_sigmoid: _Ufunc2
geglu_erf: _Ufunc2
geglu_tanh: _Ufunc2
geglu_sigmoid: _Ufunc2
geglu_backward_erf: _Ufunc3To2
geglu_backward_tanh: _Ufunc3To2
geglu_backward_sigmoid: _Ufunc3To2
gelu_mu_sigma_erf: _Ufunc3
gelu_mu_sigma_tanh: _Ufunc3
gelu_mu_sigma_sigmoid: _Ufunc3
gelu_gate_mu_sigma_erf: _Ufunc3
gelu_gate_mu_sigma_tanh: _Ufunc3
gelu_gate_mu_sigma_sigmoid: _Ufunc3
gelu_grad_mu_sigma_erf: _Ufunc3
gelu_grad_mu_sigma_tanh: _Ufunc3
gelu_grad_mu_sigma_sigmoid: _Ufunc3
gelu_backward_mu_sigma_erf: _Ufunc4
gelu_backward_mu_sigma_tanh: _Ufunc4
gelu_backward_mu_sigma_sigmoid: _Ufunc4
