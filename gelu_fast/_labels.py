# SPDX-License-Identifier: BSD-3-Clause
"""Labels of pandas and xarray that their own `__array_ufunc__` cannot know: those of the halves of one array, and of a
Series beside a DataFrame. _core.pyx imports this file when it meets an object that may be one of theirs."""

import sys

import numpy as np
from numpy.lib.array_utils import normalize_axis_index


def _is(x, package, *names):
    """Whether x is an instance of one of these classes. A package that nobody has imported has no instances."""
    module = sys.modules.get(package)
    return isinstance(x, tuple(getattr(module, name, ()) for name in names))


def _both(n, what):
    """The slices of the halves of n elements."""
    if n % 2:
        raise ValueError(f"{what} of length {n} has no halves")
    return slice(n // 2), slice(n // 2, None)


def _halves_of_xarray(x, axis, dim):
    variables = getattr(x, "data_vars", None)  # of a Dataset
    if dim is None:
        if variables is not None:
            raise TypeError(
                "the variables of a Dataset have no common axes; dim= names the dimension to split"
            )
        dim = x.dims[normalize_axis_index(axis, x.ndim)]
    if dim not in x.dims:
        raise ValueError(f"x has no dimension {dim!r}, it has {tuple(x.dims)}")
    for name, variable in (variables or {}).items():
        if dim not in variable.dims:
            raise ValueError(f"variable {name!r} has no dimension {dim!r}, it has {variable.dims}")
    along = [name for name, coord in getattr(x, "coords", {}).items() if dim in coord.dims]
    if along:
        x = x.drop_vars(along)
    return [x.isel({dim: half}) for half in _both(x.sizes[dim], f"dimension {dim!r}")]


def _halves_of_pandas(x, axis):
    axis = normalize_axis_index(axis, x.ndim)
    n = x.shape[axis]
    labels = sys.modules["pandas"].RangeIndex(n // 2, name=x.axes[axis].name)
    before = (slice(None),) * axis
    return [x.iloc[(*before, half)].set_axis(labels, axis=axis) for half in _both(n, f"axis {axis}")]


def halves(x, axis, dim):
    """The halves of x along an axis or a dimension, without the labels along it; None if x has no labels."""
    if _is(x, "xarray", "DataArray", "Dataset", "Variable"):
        return _halves_of_xarray(x, axis, dim)
    if dim is not None:
        raise TypeError(
            f"dim= names a dimension of an xarray object; x is a {type(x).__name__}, which takes axis="
        )
    return _halves_of_pandas(x, axis) if _is(x, "pandas", "DataFrame", "Series") else None


def aligned(inputs):
    """The inputs, a Series beside a DataFrame made a DataFrame of equal rows: one number for each column, as in
    ``frame + series``. pandas itself refuses the two in one ufunc, and aligns the labels of two DataFrames."""
    frames = [x for x in inputs if _is(x, "pandas", "DataFrame")]
    rows = [x for x in inputs if _is(x, "pandas", "Series")]
    if not frames or not rows:
        return inputs
    # Rows that other frames have beside those of the first are NaN with or without the series.
    index, columns = frames[0].axes
    for labels in (*(frame.columns for frame in frames[1:]), *(row.index for row in rows)):
        columns = columns if columns.equals(labels) else columns.join(labels, how="outer")

    def frame_of(x):
        if _is(x, "pandas", "DataFrame"):
            return x.reindex(columns=columns)
        if not _is(x, "pandas", "Series"):
            return x
        row = x.reindex(columns).to_numpy()
        return type(frames[0])(np.broadcast_to(row, (len(index), len(row))), index, columns, copy=False)

    return tuple(frame_of(x) for x in inputs)
