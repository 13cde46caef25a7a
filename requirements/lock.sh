#!/usr/bin/env bash
# Makes the locks beside this file anew: hashed, for Python 3.11 and later on any platform, without index addresses.
#
# One lock an occasion, all with the same versions: bench.txt (everything) is resolved first and binds the others.
#   runtime.txt  the service            demo.txt  + what `make demo` needs
#   dev.txt      + tests and linters    bench.txt + the peers of `make bench`
# Apart from them: checkov.txt, a program in an environment of its own, which shares no versions with the others.
# Keeps the versions already locked unless UPGRADE=1.   Usage: requirements/lock.sh path/to/uv
set -euo pipefail
cd "$(dirname "$0")/.."
uv="${1:?usage: requirements/lock.sh path/to/uv}"

compile() { # compile NAME SOURCE ARGUMENT... : writes requirements/NAME.txt
    local name="$1"
    shift
    "$uv" pip compile "$@" --quiet --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" \
        --output-file "requirements/$name.txt"
}

everything=(--extra demo --group build --group dev --group bench)
compile bench pyproject.toml "${everything[@]}" ${UPGRADE:+--upgrade}
compile dev pyproject.toml --extra demo --group build --group dev --constraints requirements/bench.txt
compile demo pyproject.toml --extra demo --group build --constraints requirements/bench.txt
compile runtime pyproject.toml --constraints requirements/bench.txt
compile checkov --group checkov ${UPGRADE:+--upgrade}
