# shellcheck shell=bash
# Sourced by every recipe's path.sh and by tests/run.sh: puts the environment first on PATH.
# UNDERSTUDY_LANE=current uses .venv-current instead of .venv, UNDERSTUDY_VENV=/path an environment of your own
# (docs/setup.md).

understudy_root=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/.." && pwd)
VIRTUAL_ENV=${UNDERSTUDY_VENV:-$understudy_root/.venv${UNDERSTUDY_LANE:+-$UNDERSTUDY_LANE}}
if [[ ! -x $VIRTUAL_ENV/bin/python ]]; then
  echo "path.sh: error: there is no environment in $VIRTUAL_ENV: run $understudy_root/utils/setup.sh first" >&2
  # shellcheck disable=SC2317  # exit is for when this file is run, not sourced
  return 1 2>/dev/null || exit 1
fi
export VIRTUAL_ENV
export PATH=$VIRTUAL_ENV/bin:$PATH
export PYTHONPATH=$understudy_root/lib${PYTHONPATH:+:$PYTHONPATH}
unset PYTHONHOME

# torch 1.13's MKL takes its slow path on AMD processors unless told otherwise: two to three times slower.
if grep -qsm1 AuthenticAMD /proc/cpuinfo; then
  export MKL_DEBUG_CPU_TYPE=5
fi

# Training frees and asks for the same large blocks at every update; without these glibc returns them to the
# kernel each time (measured on LSTM training: 1.3 to 14 times slower, by how dear the machine's page faults are).
export MALLOC_MMAP_THRESHOLD_=1073741824 MALLOC_TRIM_THRESHOLD_=4294967296 MALLOC_TOP_PAD_=67108864

# Where torchrun meets in a file, later releases of torch open a port for every network beside it, unless told not to.
export TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1

# All cores, but no more than 8: models this small gain nothing from more. Parallel jobs set their own.
if [[ -z ${OMP_NUM_THREADS:-} ]]; then
  understudy_cores=$(nproc 2>/dev/null || echo 1)
  export OMP_NUM_THREADS=$((understudy_cores < 8 ? understudy_cores : 8))
  unset understudy_cores
fi
unset understudy_root
