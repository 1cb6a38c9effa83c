#!/bin/bash
# Usage: tools/make_venv.sh VENV PYTHON
# Makes the virtual environment VENV with the packages that
# requirements/dev.txt pins, and lets it see what is built in this checkout. Does it
# again only when the interpreter or the pins changed.
set -euo pipefail

venv="$1"
python="$2"
root="$(cd "$(dirname "$0")/.." && pwd)"
requirements="$root/requirements/dev.txt"

"$python" - <<'CHECK' || exit 1
import sys
if sys.version_info < (3, 10):
    found = ".".join(map(str, sys.version_info[:3]))
    sys.exit(f"Python 3.10 or newer is needed, this one is {found}; name another: make PYTHON=python3.12")
CHECK

key="$("$python" -c 'import sys; print(sys.version, sys.base_prefix)')
$root
$(cat "$requirements" "$0" | sha256sum)"
if [ -x "$venv/bin/python" ] && [ "$(cat "$venv/made-from" 2>/dev/null)" = "$key" ]; then
  exit 0
fi

echo "Making the virtual environment $venv"
rm -f "$root/build/CMakeCache.txt" "$root/build/build.ninja"  # they know the old interpreter
"$python" -m venv --clear "$venv" || {
  echo "python3 -m venv failed; on Debian and Ubuntu it needs: apt-get install python3-venv" >&2
  exit 1
}
"$venv/bin/python" -m pip install --disable-pip-version-check --quiet -r "$requirements"

# Python's packages and the command come from build/ (whose Python files are
# links to python/), so that a change needs a build and no installation.
site="$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')"
echo "$root/build/python" >"$site/ssd_centerloss_checkout.pth"
ln -sfn "$root/build/bin/caffe" "$venv/bin/caffe"
command="$venv/bin/ssd-centerloss"
printf '#!%s\n%s\n%s\n' "$(realpath -s "$venv")/bin/python" \
  "from ssd_centerloss.cli import main" "main()" >"$command"
chmod +x "$command"
printf '%s\n' "$key" >"$venv/made-from"
