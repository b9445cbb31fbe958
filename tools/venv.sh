# Makes the virtual environment $1 from the pinned requirements $2, which it keeps a copy of as the sign of success.
set -eu

venv=$1 requirements=$2

usable() {
    "$1" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

for python in python3 python3.14 python3.13 python3.12 python3.11 none; do
    if usable "$python"; then break; fi
done
if [ "$python" = none ]; then
    echo "Error: Python 3.11 or newer with its venv module is needed: install it (apt install python3-venv, brew install python)." >&2
    exit 1
fi

echo "Making $venv with $("$python" --version) (once, about a minute)" >&2
"$python" -m venv --clear "$venv"
log=$venv/install.log
# pip is told in words what it does; its own lines, of which there are hundreds, go to the log.
if ! "$venv/bin/python" -m pip --disable-pip-version-check install --require-hashes -r "$requirements" 2>&1 |
    tee "$log" | sed -n 's/^Collecting \([^ ]*\).*/  \1/p; s/^Installing collected.*/  installing/p; s/^\(ERROR.*\)/  \1/p' >&2 ||
    ! grep -q '^Successfully installed' "$log"; then
    echo "Error: the packages of $requirements could not be installed: see $log, then run the same command again." >&2
    exit 1
fi
cp "$requirements" "$venv/installed-requirements.txt"
