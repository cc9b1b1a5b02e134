#!/usr/bin/env bash
# benchmarks/gpu.sh pack PARTS [MB]: wheels of blendgen and all that its tests need, in files of at most MB (60) each,
#   for a machine that reaches no network; run it with the Python that the other machine has (PYTHON=python3.13).
# benchmarks/gpu.sh install PARTS VENV: an environment from these files, without a network. EXTRAS=features,learn: of both.
# benchmarks/gpu.sh measure VENV OUT: on a machine with GPUs: which ones Blender can use, the conformance suite on the
#   GPU, and images per second of CPU, OptiX, CUDA and EEVEE, with what differs between their images and labels.
#   DEVICES="cpu optix" and BENCH="--side 224 --rounds 1" change what is measured.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

usage() { sed -n '2,7s/^# //p' "$0" >&2; exit 2; }

pack() {
  local parts=$1 mb=${2:-60} wheels; wheels=$(mktemp -d)
  trap 'rm -rf "$wheels"' EXIT
  "${PYTHON:-python3.13}" -m pip wheel --quiet --wheel-dir "$wheels" "${here}[${EXTRAS:-dev}]"
  mkdir -p "$parts"
  rm -f "$parts"/wheels.tar.*
  tar -C "$wheels" -cf - . | split -b "${mb}M" -d -a 3 - "$parts/wheels.tar."
  (cd "$parts" && sha256sum wheels.tar.* >SHA256SUMS)
  echo "$(ls "$parts"/wheels.tar.* | wc -l) files, $(du -ch "$parts"/wheels.tar.* | tail -1 | cut -f1)"
}

install() {
  local parts=$1 venv=$2 wheels; wheels=$(mktemp -d)
  trap 'rm -rf "$wheels"' EXIT
  (cd "$parts" && sha256sum --quiet -c SHA256SUMS)
  cat "$parts"/wheels.tar.* | tar -C "$wheels" -xf -
  "${PYTHON:-python3.13}" -m venv "$venv"
  "$venv/bin/python" -m pip install --quiet --no-index --find-links "$wheels" "blendgen[${EXTRAS:-dev}]"
}

measure() {
  local venv=$1 out=$2 device options=()
  mkdir -p "$out"
  out=$(cd "$out" && pwd)
  venv=$(cd "$venv" && pwd)
  cd "$here"
  "$venv/bin/blendgen" doctor | tee "$out/doctor.txt" || true
  nvidia-smi | tee "$out/nvidia-smi.txt" || true
  for device in ${DEVICES:-cpu optix cuda}; do
    options+=(--device "$device")
    [ "$device" = cpu ] && continue
    BLENDGEN_TEST_DEVICE=$device "$venv/bin/python" -m pytest -q -n 0 -m "slow or not slow" \
      -k conformance tests/engine/test_blender.py >"$out/conformance-$device.txt" 2>&1 ||
      echo "conformance on $device failed: $out/conformance-$device.txt"
    tail -3 "$out/conformance-$device.txt"
  done
  "$venv/bin/python" -m benchmarks.devices "${options[@]}" --device eevee -o "$out/devices.json" ${BENCH:-} |
    tee "$out/devices.txt"
}

[ $# -ge 2 ] || usage
case $1 in
  pack) pack "$2" "${3:-}" ;;
  install | measure) [ $# -eq 3 ] || usage; "$1" "$2" "$3" ;;
  *) usage ;;
esac
