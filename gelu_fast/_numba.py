# SPDX-License-Identifier: BSD-3-Clause
"""The door for Numba: the functions and ufuncs of gelu_fast in compiled code. Numba calls `init` by the entry point
"numba_extensions"; `import gelu_fast` does not import this module.

`_read` makes of a call's types all that is known when a function is compiled: the form, the type that is computed in,
and the result. Numba asks twice: for the type of the result (typing), and for code (`_lower`). The code calls the C
interface (include/gelu_fast.h), whose functions are symbols with names. So code that Numba has cached finds them in
another process, on the ISA level chosen there."""

import ctypes
import inspect
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
from llvmlite import binding, ir
from numba.core import cgutils, types
from numba.core.errors import ForceLiteralArg, TypingError
from numba.core.typing import signature
from numba.core.typing.templates import infer_global
from numba.extending import lower_builtin, models, register_model
from numba.np.arrayobj import _empty_nd_impl, make_array
from numba.np.numpy_support import as_dtype, from_dtype

import gelu_fast
from gelu_fast import _core
from gelu_fast._bounds import UFUNCS
from gelu_fast._functions import FUNCTIONS

_FORMS = {False: "erf", "none": "erf", True: "tanh", "tanh": "tanh", "sigmoid": "sigmoid"}
_TYPES = {types.float32: (1, "f32"), types.float64: (2, "f64")}  # as the C interface numbers and names them
_PYTHON_NUMBERS = (types.float64, types.int64)  # the types that Numba gives to Python's float and int
_DEFAULTS = {"mu": 0, "sigma": 1}
_NOT_COMPILED = ("where", "dtype", "casting", "order", "subok", "signature", "dim")
_I32, _INTP, _POINTER = ir.IntType(32), cgutils.intp_t, cgutils.voidptr_t


# ---- reading a call ----


def _inputs_of(name):
    return FUNCTIONS[UFUNCS[name][0] if name in UFUNCS else name].inputs.split(", ")


def _signature(name):
    """The signature that a function or ufunc has in compiled code: its own, without most options of a ufunc."""
    if name not in UFUNCS:
        parameters = inspect.signature(getattr(gelu_fast, name)).parameters.values()
        return inspect.Signature([each for each in parameters if each.name not in _NOT_COMPILED])
    inputs = [inspect.Parameter(key, inspect.Parameter.POSITIONAL_ONLY) for key in _inputs_of(name)]
    out = inspect.Parameter("out", inspect.Parameter.POSITIONAL_OR_KEYWORD, default=None)
    return inspect.Signature([*inputs, out])


def _is_absent(ty):
    """Whether an argument is not given, or None."""
    return ty is None or ty == types.none


def _constant(name, key, ty):
    """The value of an argument that must be known when a function is compiled."""
    if isinstance(ty, types.Literal):
        return ty.literal_value
    if isinstance(ty, (types.UnicodeType, types.Boolean, types.Integer)):
        # Numba compiles the calling function again with the value, if that is an argument of its.
        def argument(args, kws):
            try:
                return [_signature(name).bind(*args, **dict(kws)).arguments[key]]
            except (TypeError, KeyError):  # it is in a tuple: gelu(*args)
                raise TypingError(f"{key} of {name} must be a constant") from None

        raise ForceLiteralArg({0}, argument)
    raise TypingError(f"{key} of {name} must be a constant, not {ty}")


def _form(name, given):
    """The form that a call of a function names, as it ends the name of a ufunc."""
    named = ["approx"] * ("approx" in given) + ["approximate"] * (not _is_absent(given.get("approximate")))
    if len(named) == 2:
        raise TypingError(f"{name} takes approx or approximate, not both")
    value = _constant(name, named[0], given[named[0]]) if named else False
    if not isinstance(value, (bool, str)) or value not in _FORMS:
        raise TypingError(f"{named[0]} must be False or 'none', True or 'tanh', or 'sigmoid', not {value!r}")
    return _FORMS[value]


def _input(name, key, ty):
    is_array = isinstance(ty, types.Array)
    dtype = ty.dtype if is_array else types.unliteral(ty)
    if dtype not in _TYPES and not isinstance(dtype, (types.Integer, types.Boolean)):
        raise TypingError(
            f"in compiled code {name} takes arrays and numbers of float32, float64, integers and bool; "
            f"{key} is {ty}"
        )
    is_number = not is_array and dtype in _PYTHON_NUMBERS
    return SimpleNamespace(key=key, ty=ty, is_array=is_array, dtype=dtype, is_number=is_number)


def _type_computed(ufunc, inputs):
    """The type that NumPy promotes the inputs to; float32 where that is float16, which Numba lacks. Numba has one type
    for Python's numbers and NumPy's of 64 bits. Beside arrays, and as mu and sigma, they count as Python's, which take
    the type of the others."""
    beside_arrays = any(each.is_array for each in inputs)
    dtypes = [
        (float if each.dtype == types.float64 else int)
        if each.is_number and (beside_arrays or each.key in ("mu", "sigma"))
        else as_dtype(each.dtype)
        for each in inputs
    ]
    loop = ufunc.resolve_dtypes((*dtypes, *[None] * ufunc.nout))
    return from_dtype(np.promote_types(loop[0], np.float32))


def _axis(given):
    """The axis along which one array is split, of `geglu`."""
    axis, ndim = _constant("geglu", "axis", given["axis"]) if "axis" in given else -1, given["gate"].ndim
    if isinstance(axis, bool) or not isinstance(axis, int):
        raise TypingError(f"axis of geglu must be an integer, not {axis!r}")
    if not -ndim <= axis < ndim:
        raise TypingError(f"axis {axis} is out of bounds for array of dimension {ndim}")
    return axis % ndim


def _outs(name, n_out, dtype, ndim, ty):
    """The types of the arrays in `out`, each None if it is not given."""
    if _is_absent(ty):
        return [None] * n_out
    outs = [None if _is_absent(out) else out for out in (ty if isinstance(ty, types.BaseTuple) else [ty])]
    ndim = max([ndim, *[out.ndim for out in outs if isinstance(out, types.Array)]])
    for out in outs or [ty]:  # of (), itself
        if len(outs) != n_out or not (
            out is None
            or isinstance(out, types.Array)
            and (out.dtype, out.mutable, out.aligned, out.ndim) == (dtype, True, True, ndim)
        ):
            arrays = "an array" if n_out == 1 else f"a tuple of {n_out} arrays"
            raise TypingError(
                f"out of {name} must be {arrays} of {dtype} with {ndim} dimensions, writable and aligned, "
                f"not {ty}"
            )
    return outs


def _read(name, given):
    """The meaning of a call. `given` has the types of the arguments by the names of the parameters."""
    call = SimpleNamespace(ufunc=name, plain=None, sigma_is_checked=False, axis=None)
    keys = _inputs_of(name)
    if name not in UFUNCS:
        form = _form(name, given)
        call.ufunc = f"{name}_{form}"
        if "mu" in given or "sigma" in given:
            call.ufunc, call.sigma_is_checked = f"{name}_mu_sigma_{form}", True
            given = (
                dict.fromkeys(_DEFAULTS, types.int64) | given
            )  # as in Python: a float may promote integers
            keys += ["mu", "sigma"]
    if name == "geglu":
        up = given.get("up")
        if isinstance(up, (types.UnicodeType, types.StringLiteral, types.Boolean)):
            raise TypingError(
                f"up of geglu must be an array or a number, not {up}; approx is given by its name"
            )
        if _is_absent(up):
            if not isinstance(given["gate"], types.Array):
                raise TypingError(f"geglu of one argument splits an array, not {given['gate']}")
            keys, call.axis = ["gate"], _axis(given)
    call.inputs = [_input(name, key, given[key]) for key in keys]
    ufunc = getattr(gelu_fast, call.ufunc)
    call.dtype = _type_computed(ufunc, call.inputs * (2 if call.axis is not None else 1))
    if call.sigma_is_checked and all(each.is_number for each in call.inputs[-2:]):
        call.plain = f"{name}_{form}"  # where they are 0 and 1
    arrays = [each.ty for each in call.inputs if each.is_array]
    ndim = max([array.ndim for array in arrays], default=0)
    call.outs = _outs(name, ufunc.nout, call.dtype, ndim, given.get("out"))
    call.outs_in_tuple = isinstance(given.get("out"), types.BaseTuple)
    call.ndim = max([out.ndim for out in call.outs if out], default=ndim)
    layouts = {array.layout for array in arrays if array.ndim == call.ndim}
    new = types.Array(call.dtype, call.ndim, "F" if layouts == {"F"} else "C")
    call.is_scalar = call.ndim == 0 and call.outs == [None] * ufunc.nout
    call.results = [call.dtype if call.is_scalar else out or new for out in call.outs]
    call.result = call.results[0] if ufunc.nout == 1 else types.Tuple(call.results)
    return call


class _Function(types.Callable, types.Opaque):
    """The type of a function or ufunc."""

    def __init__(self, name):
        self.short = name
        super().__init__(f"gelu_fast.{name}")

    def get_call_type(self, context, args, kws):
        if self.short == "stochastic_gelu":
            raise TypingError(
                "stochastic_gelu is not for compiled code; call it outside, or under numba.objmode()"
            )
        taken = _signature(self.short)
        try:
            given = taken.bind(*args, **kws).arguments
        except TypeError as error:
            raise TypingError(f"{error}; in compiled code there is {self.short}{taken}") from None
        for key, ty in given.items():  # Numba checks at run time that such a number or array is not None
            given[key] = ty.type if isinstance(ty, types.Optional) and key != "out" else ty
        parameters = [inspect.Parameter(key, inspect.Parameter.POSITIONAL_OR_KEYWORD) for key in given]
        result = _read(self.short, given).result
        return signature(result, *given.values()).replace(pysig=inspect.Signature(parameters))

    def get_call_signatures(self):
        return [], True

    def get_impl_key(self, sig):
        return self.name


register_model(_Function)(models.OpaqueModel)


# ---- code ----


class _Operand(NamedTuple):
    """A pointer, and the numbers of elements and bytes along each dimension."""

    data: Any
    shape: list
    strides: list


def _stack(builder, values, ty):
    """A pointer to these values on the stack."""
    if not values:
        return ir.Constant(ty.as_pointer(), None)
    array = cgutils.alloca_once_value(builder, cgutils.pack_array(builder, values, ty))
    return builder.bitcast(array, ty.as_pointer())


def _operand(context, builder, ty, value):
    if not isinstance(ty, types.Array):
        return _Operand(builder.bitcast(cgutils.alloca_once_value(builder, value), _POINTER), [], [])
    array = make_array(ty)(context, builder, value)
    shape, strides = (cgutils.unpack_tuple(builder, each, ty.ndim) for each in (array.shape, array.strides))
    return _Operand(builder.bitcast(array.data, _POINTER), shape, strides)


def _halves(builder, operand, axis):
    """`gate` and `up`, the second half and the first."""
    half = builder.sdiv(operand.shape[axis], _INTP(2))
    shape = [*operand.shape[:axis], half, *operand.shape[axis + 1 :]]
    second = builder.gep(operand.data, [builder.mul(half, operand.strides[axis])])
    return [_Operand(second, shape, operand.strides), _Operand(operand.data, shape, operand.strides)]


def _values_of_outs(builder, call, values):
    if call.outs_in_tuple:
        return cgutils.unpack_tuple(builder, values["out"])
    return [values.get("out")] * len(call.outs)


def _raise_if(context, builder, bad, message, owned=()):
    with builder.if_then(bad, likely=False):
        for ty, value in owned:
            context.nrt.decref(builder, ty, value)
        context.call_conv.return_user_exc(builder, ValueError, (message,))


def _any(builder, conditions):
    found = cgutils.false_bit
    for condition in conditions:
        found = builder.or_(found, condition)
    return found


def _broadcast(builder, ndim, inputs, outs):
    """The shape of the result, and whether the operands do not fit it."""
    shape, bad = [], []
    for i in range(-ndim, 0):
        lengths = [each.shape[i] for each in inputs if len(each.shape) >= -i]
        if outs:
            n = outs[0].shape[i]
            bad += [builder.icmp_signed("!=", out.shape[i], n) for out in outs[1:]]
        else:
            n = _INTP(1)
            for length in lengths:
                n = builder.select(builder.icmp_signed("==", n, _INTP(1)), length, n)
        for length in lengths:
            differs, is_long = (builder.icmp_signed("!=", length, each) for each in (n, _INTP(1)))
            bad.append(builder.and_(differs, is_long))
        shape.append(n)
    return shape, _any(builder, bad)


def _strides(builder, ndim, operand):
    """Strides in the shape of the result: 0 along dimensions that the operand lacks, or has in length 1."""
    present = [
        builder.select(builder.icmp_signed("==", n, _INTP(1)), _INTP(0), stride)
        for n, stride in zip(operand.shape, operand.strides)
    ]
    return [_INTP(0)] * (ndim - len(present)) + present


def _call_apply(builder, call, ufunc, shape, inputs, outs):
    """Call gelu_fast_apply_nd; its status."""
    function, form = divmod(list(_core.ufuncs).index(ufunc), len(set(_FORMS.values())))
    step = (
        -1 if call.results[0].layout == "F" else 1
    )  # the dimensions in the order in which the result lies in memory
    strides = [n for each in (*inputs, *outs) for n in _strides(builder, call.ndim, each)[::step]]
    numbers, pointers = _INTP.as_pointer(), _POINTER.as_pointer()
    of_type = ir.FunctionType(_I32, [_I32] * 4 + [numbers, pointers, pointers, numbers, _I32])
    symbol = cgutils.get_or_insert_function(builder.module, of_type, "gelu_fast_apply_nd")
    arguments = [
        *(_I32(function), _I32(form), _I32(_TYPES[call.dtype][0]), _I32(call.ndim)),
        _stack(builder, shape[::step], _INTP),
        _stack(builder, [each.data for each in inputs], _POINTER),
        _stack(builder, [each.data for each in outs], _POINTER),
        _stack(builder, strides, _INTP),
        _I32(0),
    ]
    return builder.call(symbol, arguments)


def _real(call):
    return ir.FloatType() if call.dtype == types.float32 else ir.DoubleType()


def _scalar_function(builder, call, ufunc):
    """The function of single numbers: from pointers to inputs and to results."""
    pointer = _real(call).as_pointer()
    of_type = ir.FunctionType(ir.VoidType(), [pointer, pointer])
    return cgutils.get_or_insert_function(
        builder.module, of_type, f"gelu_fast_{ufunc}_{_TYPES[call.dtype][1]}"
    )


def _is_default(context, builder, call, values):
    """Whether mu and sigma are the numbers 0 and 1."""
    numbers = [context.cast(builder, values[each.key], each.ty, types.float64) for each in call.inputs[-2:]]
    mu, sigma = (
        builder.fcmp_ordered("==", number, number.type(float(default)))
        for number, default in zip(numbers, _DEFAULTS.values())
    )
    return builder.and_(mu, sigma)


def _not_above_zero(sigma):
    return not sigma > 0


def _any_not_above_zero(sigma):
    for each in sigma.flat:
        if not each > 0:
            return True
    return False


def _check_sigma(context, builder, call, shape, ty, value, owned=()):
    """Raise if an element of sigma is not above 0; not if the result has no elements."""
    if call.sigma_is_checked:
        test = _any_not_above_zero if isinstance(ty, types.Array) else _not_above_zero
        bad = context.compile_internal(builder, test, signature(types.boolean, ty), [value])
        for n in shape:
            bad = builder.and_(bad, builder.icmp_signed("!=", n, _INTP(0)))
        message = "sigma must be above 0, also when it is rounded to the type that is computed in"
        _raise_if(context, builder, bad, message, owned)


def _compute_numbers(context, builder, call, values):
    """The results of a call of numbers, or arrays without dimensions."""
    inputs = []
    for each in call.inputs:
        value = values[each.key]
        if each.is_array:
            value = builder.load(make_array(each.ty)(context, builder, value).data)
        inputs.append(context.cast(builder, value, each.dtype, call.dtype))
    _check_sigma(context, builder, call, [], call.dtype, inputs[-1])
    function = _scalar_function(builder, call, call.ufunc)
    if call.plain:
        plain = _scalar_function(builder, call, call.plain)
        function = builder.select(_is_default(context, builder, call, values), plain, function)
    results = cgutils.alloca_once(builder, _real(call), len(call.results))
    builder.call(function, [_stack(builder, inputs, _real(call)), results])
    return [builder.load(builder.gep(results, [_I32(i)])) for i in range(len(call.results))]


def _converted(context, builder, call, each, value):
    """An input in the type that is computed in, and whether it is a new array."""
    if not each.is_array:
        return call.dtype, context.cast(builder, value, each.dtype, call.dtype), False
    if each.dtype == call.dtype and each.ty.aligned:
        return each.ty, value, False
    dtype = call.dtype
    ty = each.ty.copy(dtype=dtype, layout=each.ty.layout if each.ty.layout in "CF" else "C", readonly=False)
    convert = signature(ty, each.ty)
    return ty, context.compile_internal(builder, lambda array: array.astype(dtype), convert, [value]), True


def _compute_arrays(context, builder, call, values):
    """The results of a call with arrays, as references of its own."""
    converted = [_converted(context, builder, call, each, values[each.key]) for each in call.inputs]
    owned = [(ty, value) for ty, value, is_new in converted if is_new]
    inputs = [_operand(context, builder, ty, value) for ty, value, _ in converted]
    if call.axis is not None:
        is_odd = builder.trunc(inputs[0].shape[call.axis], ir.IntType(1))
        message = f"axis {call.axis} of an odd number of elements has no halves"
        _raise_if(context, builder, is_odd, message, owned)
        inputs = _halves(builder, inputs[0], call.axis)
    given = [(ty, value) for ty, value in zip(call.outs, _values_of_outs(builder, call, values)) if ty]
    shape, bad = _broadcast(builder, call.ndim, inputs, [_operand(context, builder, *each) for each in given])
    names = ", ".join([each.key for each in call.inputs] + ["out"] * bool(given))
    _raise_if(context, builder, bad, f"operands could not be broadcast together: {names}", owned)
    of_last, last, _ = converted[-1]
    _check_sigma(context, builder, call, shape, of_last, last, owned)
    results = []
    for out, ty in zip(call.outs, call.results):
        if out:
            results.append(given.pop(0))
            context.nrt.incref(builder, *results[-1])
        else:
            results.append((ty, _empty_nd_impl(context, builder, ty, shape)._getvalue()))
    outs = [_operand(context, builder, *each) for each in results]
    status = cgutils.alloca_once(builder, _I32)
    if call.plain:
        with builder.if_else(_is_default(context, builder, call, values)) as (default, other):
            with default:
                builder.store(_call_apply(builder, call, call.plain, shape, inputs[:-2], outs), status)
            with other:
                builder.store(_call_apply(builder, call, call.ufunc, shape, inputs, outs), status)
    else:
        builder.store(_call_apply(builder, call, call.ufunc, shape, inputs, outs), status)
    is_bad = builder.icmp_signed("!=", builder.load(status), _I32(0))
    message = "an address or a stride is not a multiple of the item size"
    _raise_if(context, builder, is_bad, message, owned + results)
    for each in owned:
        context.nrt.decref(builder, *each)
    return [value for _, value in results]


def _lower(name, context, builder, sig, args):
    keys = list(sig.pysig.parameters)
    call = _read(name, dict(zip(keys, sig.args)))
    values = {key: context.get_constant(types.int64, default) for key, default in _DEFAULTS.items()}
    values |= dict(zip(keys, args))
    results = (_compute_numbers if call.is_scalar else _compute_arrays)(context, builder, call, values)
    return results[0] if len(results) == 1 else context.make_tuple(builder, call.result, results)


# ---- Numba's entry point ----


class _Api(ctypes.Structure):
    """gelu_fast_api of the C interface."""

    _fields_ = [
        ("version", ctypes.c_int),
        ("n_functions", ctypes.c_int),
        ("apply", ctypes.c_void_p),
        ("describe", ctypes.c_void_p),
        ("scalars_f32", ctypes.POINTER(ctypes.c_void_p)),
        ("scalars_f64", ctypes.POINTER(ctypes.c_void_p)),
        ("apply_nd", ctypes.c_void_p),
    ]


def _add_symbols():
    pointer_of = ctypes.pythonapi.PyCapsule_GetPointer
    pointer_of.restype, pointer_of.argtypes = ctypes.POINTER(_Api), [ctypes.py_object, ctypes.c_char_p]
    api = pointer_of(_core._c_api, b"gelu_fast._core._c_api").contents
    binding.add_symbol("gelu_fast_apply_nd", api.apply_nd)
    for i, name in enumerate(_core.ufuncs):
        binding.add_symbol(f"gelu_fast_{name}_f32", api.scalars_f32[i])
        binding.add_symbol(f"gelu_fast_{name}_f64", api.scalars_f64[i])


def init():
    """Make the functions and ufuncs known to Numba."""
    _add_symbols()
    functions = [name for name, row in FUNCTIONS.items() if row.call]
    for name in (*functions, "stochastic_gelu", *UFUNCS):
        of_function = _Function(name)
        infer_global(getattr(gelu_fast, name), of_function)
        lower_builtin(of_function.name, types.VarArg(types.Any))(partial(_lower, name))
