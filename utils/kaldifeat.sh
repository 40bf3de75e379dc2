#!/usr/bin/env bash
# Build kaldifeat (feature extraction on a GPU) from its source package and install it.
#
# Usage: utils/kaldifeat.sh [environment]     (default: .venv; called by utils/setup.sh --with kaldifeat)
#
# Left alone, kaldifeat's build downloads pybind11 and asks for a CUDA toolkit because the torch package
# names one. Neither is needed: two small CMake files stand in for them, and nothing but the package
# registry is used. Wants g++, cmake (3.21 or newer) and make; takes 4 to 8 minutes on one or two cores.
# BUILD_JOBS sets the number of compilers running at once (each may take 2 GB of memory; default 1).
set -euo pipefail

root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
venv=$(realpath -- "${1:-$root/.venv}")
python=$venv/bin/python

fail() {
  echo "kaldifeat.sh: error: $*" >&2
  exit 1
}

# Succeeds if kaldifeat imports and turns one second of sound into 98 frames of 64 bins.
works() {
  "$python" - <<'PY'
import kaldifeat
import torch

options = kaldifeat.FbankOptions()
options.frame_opts.dither = 0
options.mel_opts.num_bins = 64
frames = kaldifeat.Fbank(options)(torch.sin(torch.arange(16000) * 0.1) * 1000)
if tuple(frames.shape) != (98, 64) or not torch.isfinite(frames).all():
    raise SystemExit(f"kaldifeat gave frames of shape {tuple(frames.shape)}, expected (98, 64)")
PY
}

# write_shims FOLDER: CMake packages for pybind11 (as installed by pip) and torch (headers and libraries).
write_shims() {
  mkdir -p "$1/pybind11" "$1/torch"
  # kaldifeat's build adds this folder as if it were the pybind11 sources. GLOBAL: seen by its other folders.
  cat >"$1/pybind11/CMakeLists.txt" <<'CMAKE'
find_package(pybind11 CONFIG REQUIRED GLOBAL)
CMAKE
  "$python" - >"$1/torch/TorchConfig.cmake" <<'PY'
from pathlib import Path

import torch

home = Path(torch.__file__).parent
includes = [home / "include", home / "include/torch/csrc/api/include"]
libraries = [home / "lib" / name for name in ("libtorch.so", "libtorch_cpu.so", "libc10.so")]
abi = int(torch._C._GLIBCXX_USE_CXX11_ABI)
quoted = {
    "TORCH_INCLUDE_DIRS": " ".join(f'"{path}"' for path in includes),
    "TORCH_SHARED": " ".join(f'"{path}"' for path in libraries),
}
print("set(TORCH_FOUND TRUE)")
print(f'set(TORCH_CXX_FLAGS "-D_GLIBCXX_USE_CXX11_ABI={abi}")')
for name, value in quoted.items():
    print(f"set({name} {value})")
print(
    """if(NOT TARGET torch)
  add_library(torch INTERFACE IMPORTED GLOBAL)
  set_target_properties(torch PROPERTIES
    INTERFACE_INCLUDE_DIRECTORIES "${TORCH_INCLUDE_DIRS}"
    INTERFACE_LINK_LIBRARIES "${TORCH_SHARED}")
endif()
set(TORCH_LIBRARIES torch)"""
)
PY
}

# build FOLDER: leaves a wheel in FOLDER/wheel.
build() {
  local requirements=$root/utils/requirements pybind
  "$python" -m pip install --quiet --no-deps --require-hashes --target "$1/packages" \
    -r "$requirements/kaldifeat-build.txt"
  pybind=$1/packages/pybind11/share/cmake/pybind11
  write_shims "$1/shims"
  # CMAKE_INSTALL_LIBDIR: where the module's run path looks for libkaldifeat_core.so; without it, elsewhere.
  # The linker is told not to follow torch's own CUDA libraries, which need not be on this machine.
  local arguments="-DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_LIBDIR=lib \
    -DFETCHCONTENT_SOURCE_DIR_PYBIND11='$1/shims/pybind11' -Dpybind11_DIR='$pybind' \
    -DTorch_DIR='$1/shims/torch' -DPYTHON_EXECUTABLE='$python' \
    -DCMAKE_EXE_LINKER_FLAGS=-Wl,--unresolved-symbols=ignore-in-shared-libs"
  KALDIFEAT_CMAKE_ARGS=$arguments KALDIFEAT_MAKE_ARGS="-j${BUILD_JOBS:-1}" \
    "$python" -m pip wheel --no-deps --no-build-isolation --require-hashes --wheel-dir "$1/wheel" \
    -r "$requirements/kaldifeat.txt"
}

main() {
  [[ -x $python ]] || fail "there is no environment in $venv: run utils/setup.sh first"
  if works 2>/dev/null; then
    echo "kaldifeat.sh: kaldifeat is installed in $venv"
    return
  fi
  local tool
  for tool in g++ cmake make; do
    command -v "$tool" >/dev/null || fail "$tool was not found: install g++, cmake and make"
  done
  work=$(mktemp -d)
  trap 'rm -rf -- "$work"' EXIT
  echo "kaldifeat.sh: building (4 to 8 minutes); the log is $venv/kaldifeat.log"
  build "$work" >"$venv/kaldifeat.log" 2>&1 ||
    { tail -n 30 "$venv/kaldifeat.log" >&2; fail "the build failed; the whole log is $venv/kaldifeat.log"; }
  "$python" -m pip install --quiet --no-deps --force-reinstall "$work"/wheel/kaldifeat-*.whl
  works || fail "kaldifeat was built but does not work (see above)"
  echo "kaldifeat.sh: kaldifeat is installed in $venv"
}

main
