#!/bin/bash
# Installs the packages of tools/system_packages.txt that this Debian or Ubuntu
# lacks, with apt-get, through sudo where the user is not root. With nothing
# missing it asks for nothing and takes a moment. The optional packages come
# along when others are installed; alone they are not worth a password.
#
# Exit status: 0 all there (or not a Debian: CMake will say what is missing),
# 1 something is missing and could not be installed; the last lines tell what
# to do.
set -euo pipefail

list="${SYSTEM_PACKAGES:-$(dirname "$0")/system_packages.txt}"

# Prints the packages whose line in the list begins with $1: "" or "?".
listed() {
  sed -E 's/#.*//; s/[[:space:]]+//g' "$list" | sed -nE "s/^$1([a-z0-9].*)/\1/p"
}

# Prints those of the packages on its input that are not installed.
only_missing() {
  local package
  while read -r package; do
    dpkg-query --show --showformat='${db:Status-Status}\n' "$package" 2>/dev/null |
      grep -qx installed || printf '%s\n' "$package"
  done
}

# Runs a command as root; 1 where there is no way to be root.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
    sudo "$@"
  else
    return 1
  fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -o DPkg::Lock::Timeout=300 -q -y --no-install-recommends install "$@"
}

if ! command -v dpkg-query >/dev/null; then
  echo "This is not a Debian or Ubuntu. What is needed is called there:"
  listed "" | paste -sd ' '
  exit 0
fi

mapfile -t required < <(listed "" | only_missing)
if [ "${#required[@]}" = 0 ]; then
  exit 0
fi
mapfile -t optional < <(listed "[?]" | only_missing)

echo "Installing system packages: ${required[*]} ${optional[*]}"
if as_root true; then
  as_root apt-get -o DPkg::Lock::Timeout=300 -q update ||
    echo "apt-get update failed; trying with the package lists that are there" >&2
  if apt_install "${required[@]}"; then
    [ "${#optional[@]}" = 0 ] || apt_install "${optional[@]}" ||
      echo "Going on without ${optional[*]}" >&2
    exit 0
  fi
fi
cat >&2 <<MESSAGE

These packages are needed and could not be installed by this user:
  ${required[*]}
Run this as root, or ask whoever administers this machine to, and try again:
  apt-get update && apt-get install ${required[*]}
MESSAGE
exit 1
