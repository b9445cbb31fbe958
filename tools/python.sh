# Runs a Python of the machine, 3.11 or newer, with the given arguments: for what is done before there is a .venv.
set -eu

# -E: a PYTHONPATH, PYTHONHOME or PYTHONSAFEPATH of the caller would lead it elsewhere, or keep it from this checkout.
fits() {
    "$1" -E -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

for python in python3 python3.14 python3.13 python3.12 python3.11; do
    if fits "$python"; then exec "$python" -E -s "$@"; fi
done
echo "Error: Python 3.11 or newer with its venv module is needed: install it (apt install python3-venv, brew install python)." >&2
exit 1
