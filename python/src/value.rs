//! Bytes and values, to and from Python.

use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyModule};
use strait::format::{Shape, ValueType};

/// The bytes of anything bytes-like: of `bytes` itself, of everything else a copy.
pub fn bytes_of<'py>(payload: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
    if let Ok(bytes) = payload.cast::<PyBytes>() {
        return Ok(bytes.clone());
    }
    let view = payload.py().import("builtins")?.getattr("memoryview")?.call1((payload,))?;
    Ok(view.call_method0("tobytes")?.cast_into::<PyBytes>()?)
}

/// A type of values: a `strait._types.Type`, which packs and unpacks them.
pub struct Codec {
    python: Py<PyAny>,
    values: ValueType,
}

impl Codec {
    /// From whatever declares a type: a `Type`, a class made by `message`, a NumPy dtype.
    pub fn of(declared: &Bound<'_, PyAny>) -> PyResult<Self> {
        let python =
            PyModule::import(declared.py(), "strait._types")?.getattr("type_of")?.call1((declared,))?;
        let shape: String = python.getattr("shape")?.extract()?;
        let size: u32 = python.getattr("size")?.extract()?;
        let values = ValueType { hash: Shape::hash_of(shape.as_bytes()), size };
        Ok(Self { python: python.unbind(), values })
    }

    pub fn values(&self) -> ValueType {
        self.values
    }

    /// A buffer for one value.
    pub fn buffer(&self) -> Vec<u8> {
        vec![0; self.values.size as usize]
    }

    pub fn pack<'py>(&self, value: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyBytes>> {
        let packed = self.python.bind(value.py()).call_method1("pack", (value,))?;
        Ok(packed.cast_into::<PyBytes>()?)
    }

    pub fn unpack<'py>(&self, py: Python<'py>, bytes: &[u8]) -> PyResult<Bound<'py, PyAny>> {
        self.python.bind(py).call_method1("unpack", (PyBytes::new(py, bytes),))
    }

    pub fn declared(&self, py: Python<'_>) -> Py<PyAny> {
        self.python.clone_ref(py)
    }
}

/// FNV-1a (64 bits) of a canonical descriptor: what a region's directory stores for the type.
#[pyfunction]
pub fn shape_hash(shape: &str) -> u64 {
    Shape::hash_of(shape.as_bytes())
}
